import type { Static } from '@sinclair/typebox';
import { AccessProfile, CredentialHolder, HashedCredential } from '../policy/index.js';
import { assertRecord, type Refuse } from './check-record.js';

const SCHEMAS = { profiles: AccessProfile, holders: CredentialHolder, credentials: HashedCredential } as const;
export type PeopleSection = keyof typeof SCHEMAS;
/** In the order in which references need them. */
export const PEOPLE_SECTIONS = Object.keys(SCHEMAS) as readonly PeopleSection[];
export type Person<S extends PeopleSection> = Static<(typeof SCHEMAS)[S]>;

/** Passes on what is a record of a section and comes behind the one before it, in the order of their ids. */
export class PeopleOrder<S extends PeopleSection> {
  #last = '';

  constructor(
    readonly section: S,
    private readonly refuse: Refuse,
  ) {}

  /** Throws what `refuse` makes. */
  take(record: unknown): Person<S> {
    assertRecord(SCHEMAS[this.section], record, this.section, this.refuse);
    const { id } = record as { readonly id: string };
    this.pass(id, id);
    return record as Person<S>;
  }

  /** Records from one id to another that were taken before. Throws what `refuse` makes. */
  pass(firstId: string, lastId: string): void {
    if (firstId <= this.#last) throw this.refuse(`${firstId} is there twice, or out of order`);
    this.#last = lastId;
  }
}

/** As `PeopleOrder`, of all of a section. */
export function* people<S extends PeopleSection>(
  section: S,
  records: Iterable<unknown>,
  refuse: Refuse,
): Generator<Person<S>> {
  const order = new PeopleOrder(section, refuse);
  for (const record of records) yield order.take(record);
}
