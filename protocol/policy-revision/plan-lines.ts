import type { TSchema } from '@sinclair/typebox';
import { AbsorbedDirective, EmergencyCard, SiteFile, type PolicyContent } from '../policy/index.js';
import { assertRecord, invalidPolicy, invalidRevision, parsedLine } from './check-record.js';

type Plan = Pick<PolicyContent, 'plan' | 'emergencyCredentials'>;
/** What a line of the plan holds; entries of a list are in its order. */
type PlanEntry = readonly [list: string, entry: unknown];

/** One line of a part. */
export interface RecordLine {
  /** Names the record within its section. */
  readonly key: string;
  readonly text: string;
}

const { site, specialDayGroups, linkageRules, ...lists } = SiteFile.properties;
const ENTRIES = {
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
  absorbedDirectives: AbsorbedDirective,
  emergencyCredentials: EmergencyCard,
} as const satisfies Record<keyof PolicyContent['plan'] | 'emergencyCredentials', TSchema>;
const SCHEMAS: ReadonlyMap<string, TSchema> = new Map(Object.entries(ENTRIES));

/** Throws ERR_POLICY_INVALID. */
export function* planLines({ plan, emergencyCredentials }: Plan): Generator<RecordLine> {
  const values: Readonly<Record<string, unknown>> = { ...plan, site: [plan.site], emergencyCredentials };
  for (const [list, schema] of SCHEMAS) {
    for (const [index, entry] of ((values[list] ?? []) as readonly { readonly id?: string }[]).entries()) {
      assertRecord(schema, entry, list, invalidPolicy);
      yield { key: `${list} ${entry.id ?? index}`, text: JSON.stringify([list, entry] satisfies PlanEntry) };
    }
  }
}

/** Throws ERR_POLICY_REVISION_INVALID. */
export function planOfLines(lines: Iterable<string>): Plan {
  const found = new Map<string, unknown[]>([...SCHEMAS.keys()].map((list) => [list, []]));
  for (const line of lines) {
    const value = parsedLine(line);
    const [list, entry] = (Array.isArray(value) && value.length === 2 ? value : ['', value]) as unknown as PlanEntry;
    const schema = SCHEMAS.get(list);
    if (schema === undefined) throw invalidRevision('a line is of no list of a plan');
    assertRecord(schema, entry, list, invalidRevision);
    found.get(list)?.push(entry);
  }
  const { site = [], emergencyCredentials, ...rest } = Object.fromEntries(found);
  if (site.length !== 1) throw invalidRevision(`${site.length} sites, where one belongs`);
  return { plan: { site: site[0], ...rest }, emergencyCredentials } as unknown as Plan;
}
