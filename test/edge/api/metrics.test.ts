import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MESH_OFF } from '@sparc/edge/api';
import { METRICS, metricsText, type MetricFacts } from '@sparc/edge/api/server';
import { NO_DELIVERY, type GatewayDelivery } from '@sparc/protocol/delivery';
import { meshOf } from '../../support/mesh-page.js';
import { REPOSITORY } from '../../support/repository.js';
import { siteSnapshot } from '../../support/site-fixture.js';

const NOTHING: MetricFacts = { isFieldHeard: false, mesh: MESH_OFF, delivery: NO_DELIVERY };

const gateway = (name: string, more: Partial<GatewayDelivery> = {}): GatewayDelivery => ({
  key: 'ab'.repeat(32),
  name,
  isSelf: false,
  isReached: true,
  buses: [],
  revocation: { number: 7 },
  directives: { appliedCount: 3, refusedCount: 1, unheardCount: 0 },
  ...more,
});

/** Samples by name and labels. */
async function scrape(facts: MetricFacts): Promise<ReadonlyMap<string, number>> {
  const { text } = await metricsText(facts);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line): [string, number] => [line.replace(/ \S+$/, ''), Number(/\S+$/.exec(line)?.[0])]));
}

t.test('a gateway that knows nothing yet says so and makes nothing up', async (t) => {
  const samples = await scrape(NOTHING);
  t.strictSame(
    [...samples],
    [
      ['sparc_field_up', 0],
      ['sparc_mesh_up', 0],
      ['sparc_mesh_forks', 0],
    ],
  );
});

t.test('doors, readers, buses and the mode of the site are counted', async (t) => {
  const site = { ...siteSnapshot(), mode: { ...siteSnapshot().mode, lockdown: true, threatLevel: 2 }, droppedCount: 0 };
  const samples = await scrape({ ...NOTHING, isFieldHeard: true, site });
  for (const [name, value] of [
    ['sparc_field_up', 1],
    ['sparc_lockdown', 1],
    ['sparc_threat_level', 2],
    ['sparc_doors{mode="locked"}', 2],
    ['sparc_door_alarms{alarm="forced"}', 1],
    ['sparc_readers{link="offline"}', 1],
    ['sparc_readers_tampered', 1],
    ['sparc_bus_up{bus="bus-a"}', 1],
    ['sparc_bus_up{bus="bus-b"}', 0],
  ] as const) {
    t.equal(samples.get(name), value, name);
  }
});

t.test('of every gateway it is told how far it is, and instants are in seconds', async (t) => {
  const gateways = [
    gateway('hallway', {
      isReached: false,
      newest: { cursor: '3.5', atUnixMs: 1_790_000_000_500 },
      policy: { revision: '12-00112233aabbccdd', number: 12, sinceUnixMs: 1_790_000_000_000 },
      directives: { appliedCount: 3, refusedCount: 1, unheardCount: 2, unheardSinceUnixMs: 1_790_000_001_000 },
      clock: { quality: 'holdover', errorMs: 1_500, aheadMs: -20 },
    }),
    gateway('gate "2"'),
  ];
  const samples = await scrape({ ...NOTHING, mesh: meshOf('hallway', 'gate'), delivery: { ...NO_DELIVERY, gateways } });
  for (const [name, value] of [
    ['sparc_mesh_up', 1],
    ['sparc_mesh_round_trip_seconds{gateway="gate"}', 0.0004],
    ['sparc_gateway_reached{gateway="hallway"}', 0],
    ['sparc_gateway_entry_timestamp_seconds{gateway="hallway"}', 1_790_000_000.5],
    ['sparc_gateway_policy_number{gateway="hallway"}', 12],
    ['sparc_gateway_revocation_number{gateway="gate \\"2\\""}', 7],
    ['sparc_gateway_directives{gateway="hallway",state="unheard"}', 2],
    ['sparc_gateway_unheard_timestamp_seconds{gateway="hallway"}', 1_790_000_001],
    ['sparc_gateway_clock_quality{gateway="hallway",quality="holdover"}', 1],
    ['sparc_gateway_clock_error_seconds{gateway="hallway"}', 1.5],
    ['sparc_gateway_clock_ahead_seconds{gateway="hallway"}', -0.02],
  ] as const) {
    t.equal(samples.get(name), value, name);
  }
  t.notOk(samples.has('sparc_gateway_policy_number{gateway="gate \\"2\\""}'), 'what is not known is left out');
});

t.test('of the link to the cloud it is told whether it stands, what waits and what was refused', async (t) => {
  const cloud = { isConnected: true, sinceUnixMs: 1, refusedCount: 3, ownMissingCount: 40 };
  const samples = await scrape({ ...NOTHING, mesh: { ...meshOf('hallway'), cloud } });
  t.strictSame(
    ['up', 'unacknowledged_entries', 'refused_messages'].map((name) => samples.get(`sparc_link_${name}`)),
    [1, 40, 3],
  );
});

t.test('the README of the gateway names every metric', async (t) => {
  const readme = readFileSync(join(REPOSITORY, 'edge', 'README.md'), 'utf8');
  for (const { name } of METRICS) t.match(readme, `\`${name}`);
});
