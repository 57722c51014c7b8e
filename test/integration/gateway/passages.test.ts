import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Credential } from '@sparc/protocol/policy';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';

/** A little longer than the same card at the same reader is one presentation. */
const CARD_DEBOUNCE_MS = 2_500;

/** So long that a gateway on a busy machine is killed before it says that nobody went through; whoever opens lets it relock. */
const TIMINGS = { releaseTimeMs: 20_000, delayTimeBeforeRelockMs: 0 };

/** Behind the front door is a hall with hard anti-passback; a visitor's card is good for three passages at the store. */
function site() {
  const plain = liveSiteFile([
    { id: 'front', bus: 'bus-a', accessPoint: { areaTo: 'hall' } },
    { id: 'store', bus: 'bus-a' },
  ]);
  const visitor: Credential = {
    id: 'card-visitor',
    holder: 'vic',
    status: 'active',
    usesMax: 3,
    identifiers: [{ format: 'h10301', facility: 12, number: 500 }],
    accessProfiles: ['everywhere'],
  };
  return {
    ...plain,
    doors: plain.doors.map((door) => ({ ...door, timings: TIMINGS })),
    areas: [{ id: 'hall', name: 'Hall', antiPassback: { mode: 'hard' as const, unknown: 'failSecure' as const } }],
    credentialHolders: [...plain.credentialHolders, { id: 'vic', name: 'Vic', status: 'active' as const }],
    credentials: [...plain.credentials, visitor],
  };
}

t.test('a gateway that was killed knows who is inside, and how often a card was used', async (t) => {
  const gateway = await LiveGateway.create({ site: site() });
  t.teardown(() => gateway.remove());
  const uses = async (count: number) =>
    gateway.event(
      ({ name, detail }) => name === 'use_limit.changed' && detail?.['uses'] === String(count),
      `use ${count} is counted`,
    );
  const refused = async (door: string, card: string, why: string) => {
    const epoch = gateway.newestEpoch;
    const refusal = () => gateway.events.find((event) => event.epoch === epoch && event.reason === why);
    await gateway.presented(`${door}-reader`, card, `denied for ${why}`, () => refusal() !== undefined);
    return refusal();
  };
  const passes = async (door: string, card: string) => {
    await eventually(`${door} is locked`, () => !gateway.lock(door).released);
    // Pulled as soon as it is released: a busy machine may come back to it when it is locked again.
    const isOpen = () => gateway.live.doors.get(door)?.pull() === true;
    await gateway.presented(`${door}-reader`, card, `${door} is opened`, isOpen);
    await eventually(`${door} relocks`, () => !gateway.lock(door).released);
    gateway.live.doors.get(door)?.close();
  };

  await gateway.startOnline();
  await passes('front', 'card-1');
  await gateway.event(({ name }) => name === 'area.moved', 'somebody is in the hall');
  await passes('store', 'card-visitor');
  await uses(1);

  // In the middle of a passage: the lock is released, and nobody sees whether the door is opened.
  await sleep(CARD_DEBOUNCE_MS);
  await gateway.released('store', 'card-visitor');
  const releasesCount = () => gateway.events.filter(({ name }) => name === 'access.released').length;
  await eventually('the release is recorded', () => releasesCount() === 3);
  await gateway.end('SIGKILL');

  await gateway.startOnline();
  await uses(2);
  await refused('front', 'card-1', 'apb_violation');
  await passes('store', 'card-visitor');
  await uses(3);
  await sleep(CARD_DEBOUNCE_MS);
  const denied = await refused('store', 'card-visitor', 'use_limit');
  t.equal(denied?.inputs?.usesCount, 3);
  await eventually('the API listens', () => gateway.isServing());
  t.match(await gateway.sparc('uses', 'reset', 'card-visitor', '--by', 'Grace Hopper'), { exitCode: 0 });
  await sleep(CARD_DEBOUNCE_MS);
  await passes('store', 'card-visitor');
  const tried = await gateway.sparc('decision', 'try', 'card-1', 'front-in', '--json');
  t.match(JSON.parse(tried.stdout), { reason: 'apb_violation', inputs: { location: { areaId: 'hall' } } });
});
