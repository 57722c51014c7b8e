import type { Static } from '@sinclair/typebox';
import { AccessProfile, CredentialHolder, HashedCredential } from '../policy/index.js';
import { assertRecord, type Refuse } from './check-record.js';

const SCHEMAS = { profiles: AccessProfile, holders: CredentialHolder, credentials: HashedCredential } as const;
export type PeopleSection = keyof typeof SCHEMAS;

/** Passes on what are records of a section, in the order of their ids. Throws what `refuse` makes. */
export function* people<S extends PeopleSection>(
  section: S,
  records: Iterable<unknown>,
  refuse: Refuse,
): Generator<Static<(typeof SCHEMAS)[S]>> {
  let last = '';
  for (const record of records) {
    assertRecord(SCHEMAS[section], record, section, refuse);
    const { id } = record as { readonly id: string };
    if (id <= last) throw refuse(`${id} is there twice, or out of order`);
    last = id;
    yield record as Static<(typeof SCHEMAS)[S]>;
  }
}
