import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFrame } from '@sparc/protocol/osdp';
import t, { type Test } from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';
import { WIRE_CODE } from '../../support/wire-monitor.js';
import { DurabilityShim, SKIP_WITHOUT_CC, type ShimEvent } from '../journal/durability-shim.js';

const GRANT_COUNT = 5;
/** Longer than the test: the lock gets OUT for grants alone, and none at its relocking, when something else is recorded. */
const RELEASE_TIME_MS = 600_000;
const PLAIN = liveSiteFile([{ id: 'front', bus: 'bus-a' }]);
const SITE = { ...PLAIN, doors: PLAIN.doors.map((door) => ({ ...door, timings: { releaseTimeMs: RELEASE_TIME_MS } })) };
const SYNCHRONOUS_OFF = new URL('../journal/preload-synchronous-off.js', import.meta.url).href;

/** One mark, then a frame. */
function isOut({ operation, hex }: ShimEvent): boolean {
  const frame = decodeFrame(Uint8Array.from(Buffer.from(hex, 'hex')).subarray(1));
  return operation === 'send' && frame.ok && frame.value.code === WIRE_CODE.out;
}

/** OUT frames whose bytes left while what was written to the log before them was not flushed. */
function earlyOuts(events: readonly ShimEvent[]): ShimEvent[] {
  return events.filter((out, at) => {
    if (!isOut(out)) return false;
    const ofLog = events.slice(0, at).filter(({ target }) => target === 'journal.db-wal');
    return ofLog.at(-1)?.operation !== 'flush';
  });
}

/** Opens doors with a shim under the gateway, cuts the power, and starts again from what the disk held. */
async function grantsThroughPowerCut(t: Test, env: Readonly<Record<string, string>>) {
  const gateway = await LiveGateway.create({ site: SITE });
  t.teardown(() => gateway.remove());
  const scratch = await mkdtemp(join(tmpdir(), 'sparc-shim-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const peers = [...gateway.live.addresses.values()].map((address) =>
    'tcp' in address ? `tcp:${address.tcp.port}` : '',
  );
  const shim = new DurabilityShim(scratch, { folder: gateway.dataDir, peers });
  await gateway.startOnline({ ...shim.environment, ...env });
  const startedNs = process.hrtime.bigint();
  const lock = gateway.lock('front');
  const opened: string[] = [];
  for (let index = 1; index <= GRANT_COUNT; index++) {
    const sinceMs = performance.now();
    const isOutSent = () => gateway.wires.get('bus-a')?.first(WIRE_CODE.out, 0, sinceMs) !== undefined;
    await gateway.presented('front-reader', `card-${index}`, 'OUT is on the wire', isOutSent);
    await eventually('the lock is released', () => lock.released);
    opened.push(`card-${index}`);
  }
  await gateway.end('SIGKILL');
  const early = earlyOuts(shim.events().filter(({ atNs }) => atNs > startedNs));

  const disk = join(scratch, 'disk');
  await mkdir(disk);
  const kept = shim.restore(disk).filter((name) => name.startsWith('journal'));
  for (const name of await readdir(gateway.dataDir)) {
    if (name.startsWith('journal')) await rm(join(gateway.dataDir, name));
  }
  for (const name of kept) await copyFile(join(disk, name), join(gateway.dataDir, name));
  await gateway.startOnline();
  const recorded = gateway.events.flatMap(({ name, credentialId }) =>
    name === 'access.granted' ? [credentialId] : [],
  );
  return { gateway, early, lost: opened.filter((cardId) => !recorded.includes(cardId)) };
}

t.test(
  'the record of a grant is flushed before OUT leaves, and survives a power cut',
  { skip: SKIP_WITHOUT_CC },
  async (t) => {
    const { gateway, early, lost } = await grantsThroughPowerCut(t, {});
    t.same(early, []);
    t.same(lost, []);
    t.equal((await gateway.sparc('ledger', 'verify')).exitCode, 0, 'the journal is whole');
    t.equal(gateway.events.filter(({ name }) => name === 'journal.gap').length, 0, 'nothing is missed');
  },
);

t.test('the same proof fails for a journal that does not flush', { skip: SKIP_WITHOUT_CC }, async (t) => {
  const { early, lost } = await grantsThroughPowerCut(t, { NODE_OPTIONS: `--import=${SYNCHRONOUS_OFF}` });
  t.ok(early.length > 0, `${early.length} of ${GRANT_COUNT} left early`);
  t.ok(lost.length > 0, `${lost.length} of ${GRANT_COUNT} are lost`);
});
