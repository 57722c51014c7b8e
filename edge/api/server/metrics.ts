import { Gauge, Registry } from 'prom-client';
import type { DeliveryView, GatewayDelivery } from '@sparc/protocol/delivery';
import type { MeshView } from '../mesh-view.js';
import type { SiteView } from './site-state.js';

/** What a scrape tells of. */
export interface MetricFacts {
  /** Absent before the first snapshot. */
  readonly site?: SiteView;
  /** The field said something within the last 15 s. */
  readonly isFieldHeard: boolean;
  readonly mesh: MeshView;
  readonly delivery: DeliveryView;
}

/** One value, with the labels that tell it from others of its metric. Undefined: there is none, and none is exposed. */
interface Sample {
  readonly value: number | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Metric {
  readonly name: `sparc_${string}`;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly samples: (facts: MetricFacts) => readonly Sample[];
}

const flag = (is: boolean): number => (is ? 1 : 0);
const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1_000);

const one = (name: Metric['name'], help: string, value: (facts: MetricFacts) => number | undefined): Metric => ({
  name,
  help,
  samples: (facts) => [{ value: value(facts) }],
});

const ofSite = (name: Metric['name'], help: string, value: (site: SiteView) => number | undefined): Metric =>
  one(name, help, ({ site }) => (site === undefined ? undefined : value(site)));

/** How many there are of each. */
function counted(
  name: Metric['name'],
  help: string,
  label: string,
  each: (site: SiteView) => readonly string[],
): Metric {
  return {
    name,
    help,
    labels: [label],
    samples({ site }) {
      const counts = new Map<string, number>();
      for (const value of site === undefined ? [] : each(site)) counts.set(value, (counts.get(value) ?? 0) + 1);
      return [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count }));
    },
  };
}

const ofGateway = (
  name: Metric['name'],
  help: string,
  value: (gateway: GatewayDelivery) => number | undefined,
): Metric => ({
  name,
  help,
  labels: ['gateway'],
  samples: ({ delivery }) =>
    delivery.gateways.map((gateway) => ({ labels: { gateway: gateway.name }, value: value(gateway) })),
});

const DIRECTIVE_COUNTS = [
  ['applied', 'appliedCount'],
  ['refused', 'refusedCount'],
  ['unheard', 'unheardCount'],
] as const;

/** All that `/metrics` exposes; ages are left to whoever asks, as time() minus a timestamp. */
export const METRICS: readonly Metric[] = [
  one('sparc_field_up', '1: the field, which drives doors, said something within 15 s', ({ isFieldHeard }) =>
    flag(isFieldHeard),
  ),
  ofSite('sparc_start_timestamp_seconds', 'last start of this gateway', ({ gateway }) =>
    seconds(gateway.startedAtUnixMs),
  ),
  ofSite('sparc_policy_confirmed_timestamp_seconds', 'when the policy in force was confirmed last', ({ policy }) =>
    seconds(policy?.confirmedAtUnixMs),
  ),
  ofSite('sparc_lockdown', '1: a lockdown is in force here', ({ mode }) => flag(mode.lockdown)),
  ofSite('sparc_threat_level', 'threat level in force here', ({ mode }) => mode.threatLevel),
  ofSite('sparc_fires', 'fire alarms and evacuations that stand', ({ mode }) => mode.fires.length),
  ofSite('sparc_journal_up', '1: events can be recorded', ({ journal }) => flag(journal.healthy)),
  ofSite('sparc_late_records', 'records that wait for a journal that failed', (site) => site.lateRecordsCount),
  ofSite('sparc_suspended_rules', 'linkage rules that tripped a limit', (site) => site.suspendedRules.length),
  counted('sparc_doors', 'doors of this gateway by mode', 'mode', ({ doors }) => doors.map(({ mode }) => mode)),
  counted('sparc_door_alarms', 'doors of this gateway by alarm', 'alarm', ({ doors }) =>
    doors.map(({ alarm }) => alarm),
  ),
  counted('sparc_readers', 'readers of this gateway by state of their link', 'link', ({ readers }) =>
    readers.map(({ link }) => link),
  ),
  ofSite(
    'sparc_readers_tampered',
    'readers that report tamper',
    ({ readers }) => readers.filter(({ tampered }) => tampered).length,
  ),
  {
    name: 'sparc_bus_up',
    help: '1: the bus works',
    labels: ['bus'],
    samples: ({ site }) => (site?.buses ?? []).map(({ id, up }) => ({ labels: { bus: id }, value: flag(up) })),
  },
  one('sparc_mesh_up', '1: the mesh runs', ({ mesh }) => flag(mesh.state === 'running')),
  {
    name: 'sparc_mesh_round_trip_seconds',
    help: 'last ping of a neighbour',
    labels: ['gateway'],
    samples: ({ mesh }) =>
      mesh.members.map(({ name, roundTripMs }) => ({ labels: { gateway: name }, value: seconds(roundTripMs) })),
  },
  {
    name: 'sparc_mesh_behind_entries',
    help: 'entries of a ledger at least that a neighbour has on disk and this gateway has not',
    labels: ['author'],
    samples: ({ mesh }) =>
      mesh.logs.map(({ name, author, behindCount }) => ({ labels: { author: name ?? author }, value: behindCount })),
  },
  one(
    'sparc_mesh_replicas',
    'members that have all of the ledger of this gateway',
    ({ mesh }) => mesh.own?.replicasCount,
  ),
  one(
    'sparc_mesh_unreplicated_entries',
    'entries of this gateway that no other one has',
    ({ mesh }) => mesh.own?.unreplicatedCount,
  ),
  one('sparc_mesh_forks', 'authors whose ledgers contradict themselves', ({ mesh }) => mesh.forks.length),
  one('sparc_mesh_roster_epoch', 'of the roster that counts', ({ mesh }) => mesh.roster?.epoch),
  one('sparc_mesh_roster_expiry_timestamp_seconds', 'after it the roster warns and goes on counting', ({ mesh }) =>
    seconds(mesh.roster?.notAfterUnixMs),
  ),
  one('sparc_link_up', '1: the link to the cloud stands', ({ mesh }) => mesh.cloud && flag(mesh.cloud.isConnected)),
  one(
    'sparc_link_unacknowledged_entries',
    'entries of this gateway that the cloud did not say to have',
    ({ mesh }) => mesh.cloud?.ownMissingCount,
  ),
  one(
    'sparc_link_refused_messages',
    "messages over the link to the cloud that were not the cloud's, since the start",
    ({ mesh }) => mesh.cloud?.refusedCount,
  ),
  ofGateway('sparc_gateway_reached', '1: the gateway is heard, directly or through others', ({ isReached }) =>
    flag(isReached),
  ),
  ofGateway(
    'sparc_gateway_entry_timestamp_seconds',
    'newest entry of the gateway that is here, by its clock',
    (gateway) => seconds(gateway.newest?.atUnixMs),
  ),
  ofGateway('sparc_gateway_policy_number', 'policy revision in force at the gateway', ({ policy }) => policy?.number),
  ofGateway('sparc_gateway_policy_timestamp_seconds', 'when it came into force there', ({ policy }) =>
    seconds(policy?.sinceUnixMs),
  ),
  ofGateway(
    'sparc_gateway_revocation_number',
    'newest revocation that the gateway applied',
    ({ revocation }) => revocation.number,
  ),
  {
    name: 'sparc_gateway_directives',
    help: 'directives that the gateway applied, refused, or said nothing of yet',
    labels: ['gateway', 'state'],
    samples: ({ delivery }) =>
      delivery.gateways.flatMap(({ name, directives }) =>
        DIRECTIVE_COUNTS.map(([state, count]) => ({ labels: { gateway: name, state }, value: directives[count] })),
      ),
  },
  ofGateway(
    'sparc_gateway_unheard_timestamp_seconds',
    'when the oldest directive was given that the gateway said nothing of',
    ({ directives }) => seconds(directives.unheardSinceUnixMs),
  ),
  {
    name: 'sparc_gateway_clock_quality',
    help: '1, labelled with what the clock of the gateway is worth',
    labels: ['gateway', 'quality'],
    samples: ({ delivery }) =>
      delivery.gateways.flatMap(({ name, clock }) =>
        clock === undefined ? [] : [{ labels: { gateway: name, quality: clock.quality }, value: 1 }],
      ),
  },
  ofGateway('sparc_gateway_clock_error_seconds', 'bound of the error of its clock, as it said last', ({ clock }) =>
    seconds(clock?.errorMs),
  ),
  ofGateway(
    'sparc_gateway_clock_ahead_seconds',
    'by how much the clock of a neighbour is ahead of that of this gateway',
    ({ clock }) => seconds(clock?.aheadMs),
  ),
];

/** In the text format of Prometheus, 0.0.4. A registry a scrape: what is gone leaves no last value behind. */
export async function metricsText(
  facts: MetricFacts,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const registry = new Registry();
  for (const { name, help, labels = [], samples } of METRICS) {
    const known = samples(facts).filter(({ value }) => value !== undefined);
    if (known.length === 0) continue;
    const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
    for (const { labels: labelled = {}, value } of known) gauge.set(labelled, value ?? 0);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}
