import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ApiFlood } from '../../support/api-flood.js';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';
import { WIRE_CODE, type WireMonitor } from '../../support/wire-monitor.js';
import { DurabilityShim, SKIP_WITHOUT_CC } from '../journal/durability-shim.js';

/** Far longer than the gaps that a busy machine is allowed, so that one flush in the way of a poll is found. */
const FLUSH_MS = 2_500;
const GAP_MAX_MS = 2_000;
const DENIAL_MAX_MS = 2_000;
const WINDOW_MS = 6_000;
/** A reader sees the same card again after 4 of them, when it is no repetition any more. */
const DENIAL_INTERVAL_MS = 600;
const SITE_KILLS_COUNT = 3;
/** A machine that is busy with something else spoils a measurement at times; what waits for a flush does so in each. */
const ATTEMPTS_MAX = 3;

t.test('a slow disk, a flooded API and a killed site process delay no poll', { skip: SKIP_WITHOUT_CC }, async (t) => {
  const gateway = await LiveGateway.create({
    site: liveSiteFile([
      { id: 'front', bus: 'bus-a', accessPoint: { recordTimeoutMs: 10_000 } },
      { id: 'back', bus: 'bus-a' },
    ]),
  });
  t.teardown(() => gateway.remove());
  const scratch = await mkdtemp(join(tmpdir(), 'sparc-shim-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const shim = new DurabilityShim(scratch, { folder: gateway.dataDir, flushMs: FLUSH_MS });
  // A first start makes the journal's file, which takes more flushes than a test wants to wait for.
  await gateway.startOnline();
  await gateway.end('SIGTERM');
  const wire = gateway.wires.get('bus-a');
  if (wire === undefined) throw new Error('no bus-a');

  for (let attempt = 1; ; attempt++) {
    // Each on a gateway of its own, which restarts its site process at once: after many kills it waits for half a minute.
    await gateway.startOnline(shim.environment);
    await eventually('the API answers', () => gateway.isServing());
    const { answersCount, killedPids, shownMs, silentMs } = await measure(gateway, wire);
    t.ok(answersCount > 20, 'the API was flooded');
    t.equal(new Set(killedPids).size, SITE_KILLS_COUNT, 'each kill met another process');
    const isGood = Math.max(...shownMs) < DENIAL_MAX_MS && Math.max(...silentMs) < GAP_MAX_MS;
    const told = `denials shown after ${shownMs.join(', ')} ms, devices silent for ${silentMs.join(', ')} ms at most`;
    if (isGood || attempt === ATTEMPTS_MAX) {
      t.ok(isGood, told);
      break;
    }
    t.comment(told);
    await gateway.end('SIGTERM');
  }
  await eventually('the API answers again', () => gateway.isServing());

  const lock = gateway.lock('front');
  await gateway.presented('front-reader', 'card-1', 'a grant waits for the disk only', () => lock.released);
});

/** What cards and polls are like for a while, with the API flooded and its process killed. */
async function measure(gateway: LiveGateway, wire: WireMonitor) {
  const flood = new ApiFlood(gateway.apiUrl);
  const fromMs = performance.now();
  const [presentations, killedPids] = await Promise.all([presentCards(gateway), killSiteProcess(gateway)]).catch(
    async (error: unknown) => {
      await flood.stop();
      throw error;
    },
  );
  const answersCount = await flood.stop();
  const shownMs = presentations.map(({ address, atMs }) => {
    const read = wire.first(WIRE_CODE.raw, address, atMs);
    const shown = read && wire.first(WIRE_CODE.led, address, read.endMs);
    return shown === undefined ? Infinity : Math.round(shown.startMs - atMs);
  });
  const silentMs = [0, 1, 2].map((address) => {
    const gapsMs = wire.turnGapsMs(address, fromMs, fromMs + WINDOW_MS);
    return gapsMs.length === 0 ? Infinity : Math.round(Math.max(...gapsMs));
  });
  return { answersCount, killedPids, shownMs, silentMs };
}

/** Cards that are denied, at both readers in turn. */
async function presentCards(gateway: LiveGateway) {
  const presentations: { readonly address: number; readonly atMs: number }[] = [];
  const fromMs = performance.now();
  for (let index = 0; performance.now() < fromMs + WINDOW_MS; index++) {
    const [readerId, address] = index % 2 === 0 ? (['front-reader', 1] as const) : (['back-reader', 2] as const);
    presentations.push({ address, atMs: performance.now() });
    gateway.present(readerId, index % 4 < 2 ? 'card-none' : 'card-lost');
    await sleep(DENIAL_INTERVAL_MS);
  }
  return presentations;
}

/** Kills the site process as soon as it serves, a few times. */
async function killSiteProcess(gateway: LiveGateway): Promise<number[]> {
  const pids: number[] = [];
  while (pids.length < SITE_KILLS_COUNT) {
    await eventually('the API answers', () => gateway.isServing());
    await sleep(400);
    const pid = gateway.sitePid;
    if (pid === undefined || pids.includes(pid)) continue;
    process.kill(pid, 'SIGKILL');
    pids.push(pid);
  }
  return pids;
}
