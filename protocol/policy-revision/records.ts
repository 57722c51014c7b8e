import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import type { Static, TSchema } from '@sinclair/typebox';
import { SparcError } from '../errors/index.js';
import {
  AccessProfile,
  CredentialHolder,
  EmergencyCard,
  HashedCredential,
  SiteFile,
  type PolicyContent,
} from '../policy/index.js';
import { invalidRevision } from './invalid-revision.js';

type PlanEntry = readonly [list: string, entry: unknown];
type Plan = Pick<PolicyContent, 'plan' | 'emergencyCredentials'>;

/** One line of a part. */
export interface RecordLine {
  /** Names the record within its section. */
  readonly key: string;
  readonly text: string;
}

const { site, specialDayGroups, linkageRules, ...lists } = SiteFile.properties;
/** What an entry of each list of the plan looks like. */
const PLAN_ENTRIES = {
  site,
  cardFormats: lists.cardFormats.items,
  devices: lists.devices.items,
  readers: lists.readers.items,
  inputs: lists.inputs.items,
  outputs: lists.outputs.items,
  areas: lists.areas.items,
  specialDayGroups: specialDayGroups.items,
  schedules: lists.schedules.items,
  doors: lists.doors.items,
  accessPoints: lists.accessPoints.items,
  linkageRules: linkageRules.items,
  emergencyCredentials: EmergencyCard,
} as const satisfies Record<keyof PolicyContent['plan'] | 'emergencyCredentials', TSchema>;

/** A line of the plan is a list's name and an entry of it, in the order of the list. */
export function* planLines({ plan, emergencyCredentials }: Plan): Generator<RecordLine> {
  const values: Readonly<Record<string, unknown>> = { ...plan, emergencyCredentials };
  for (const list of Object.keys(PLAN_ENTRIES)) {
    const entries = list === 'site' ? [plan.site] : ((values[list] ?? []) as readonly object[]);
    for (const [index, entry] of entries.entries()) {
      const { id = index } = entry as { readonly id?: string };
      yield { key: `${list} ${id}`, text: JSON.stringify([list, entry] satisfies PlanEntry) };
    }
  }
}

/** Throws ERR_POLICY_REVISION_INVALID. */
export function planOfLines(lines: Iterable<string>): Plan {
  const found = new Map<string, unknown[]>(Object.keys(PLAN_ENTRIES).map((list) => [list, []]));
  for (const line of lines) {
    const value = parsed(line);
    const [list, entry] =
      Array.isArray(value) && value.length === 2 ? (value as unknown as PlanEntry) : ['', undefined];
    const schema = Object.hasOwn(PLAN_ENTRIES, list) && PLAN_ENTRIES[list as keyof typeof PLAN_ENTRIES];
    if (!schema || !checkOf(schema).Check(entry)) throw invalidRevision('a line is no entry of a list of a plan');
    found.get(list)?.push(entry);
  }
  const { site = [], emergencyCredentials, ...rest } = Object.fromEntries(found);
  if (site.length !== 1) throw invalidRevision(`${site.length} sites, where one belongs`);
  return { plan: { site: site[0], ...rest }, emergencyCredentials } as unknown as Plan;
}

/** Throws ERR_POLICY_INVALID for records that are not in the order of their ids. */
export function* peopleLines(records: Iterable<{ readonly id: string }>): Generator<RecordLine> {
  let last = '';
  for (const record of records) {
    if (record.id <= last) throw new SparcError('ERR_POLICY_INVALID', outOfOrder(record.id));
    last = record.id;
    yield { key: record.id, text: JSON.stringify(record) };
  }
}

/** Sections of people: what one line of each is. */
export const PEOPLE = {
  profiles: AccessProfile,
  holders: CredentialHolder,
  credentials: HashedCredential,
} as const;

/** The records of lines, which are in the order of their ids. Throws ERR_POLICY_REVISION_INVALID. */
export function* peopleOfLines<T extends (typeof PEOPLE)[keyof typeof PEOPLE]>(
  schema: T,
  lines: Iterable<string>,
): Generator<Static<T>> {
  const check: TypeCheck<TSchema> = checkOf(schema);
  let last = '';
  for (const line of lines) {
    const record = parsed(line);
    if (!check.Check(record)) throw invalidRevision('a line is no record of its section');
    const { id } = record as { readonly id: string };
    if (id <= last) throw invalidRevision(outOfOrder(id));
    last = id;
    yield record as Static<T>;
  }
}

const outOfOrder = (id: string): string => `${id} is there twice, or out of order`;

const compiled = new Map<TSchema, TypeCheck<TSchema>>();

function checkOf(schema: TSchema): TypeCheck<TSchema> {
  let check = compiled.get(schema);
  if (check === undefined) compiled.set(schema, (check = TypeCompiler.Compile(schema)));
  return check;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw invalidRevision('a line is no JSON', cause);
  }
}
