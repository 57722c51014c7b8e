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
const SYNCHRONOUS_OFF = new URL('../journal/preload-synchronous-off.js', import.meta.url).href;

/** One mark, then a frame. */
function isOut({ operation, hex }: ShimEvent): boolean {
  const frame = decodeFrame(Uint8Array.from(Buffer.from(hex, 'hex')).subarray(1));
  return operation === 'send' && frame.ok && frame.value.code === WIRE_CODE.out;
}

/**
 * Of the releases of a lock, those whose OUT left while what was written to the log before it was not flushed. The lock gets
 * OUT at other times too: to relock, and again where a reply was late.
 */
function earlyReleases(events: readonly ShimEvent[], releasedNs: readonly bigint[]): bigint[] {
  return releasedNs.filter((releaseNs) => {
    const before = events.filter(({ atNs }) => atNs < releaseNs);
    const sentAt = before.findLastIndex(isOut);
    const ofLog = before.slice(0, Math.max(0, sentAt)).filter(({ target }) => target === 'journal.db-wal');
    return ofLog.at(-1)?.operation !== 'flush';
  });
}

/** Opens doors with a shim under the gateway, cuts the power, and starts again from what the disk held. */
async function grantsThroughPowerCut(t: Test, env: Readonly<Record<string, string>>) {
  const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-a' }]) });
  t.teardown(() => gateway.remove());
  const scratch = await mkdtemp(join(tmpdir(), 'sparc-shim-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const peers = [...gateway.live.addresses.values()].map((address) =>
    'tcp' in address ? `tcp:${address.tcp.port}` : '',
  );
  const shim = new DurabilityShim(scratch, { folder: gateway.dataDir, peers });
  await gateway.startOnline({ ...shim.environment, ...env });
  const lock = gateway.lock('front');
  const releasedNs: bigint[] = [];
  lock.onChange = () => void (lock.released && releasedNs.push(process.hrtime.bigint()));
  const opened = Array.from({ length: GRANT_COUNT }, (_, index) => `card-${index + 1}`);
  for (const [index, cardId] of opened.entries()) {
    await eventually('the lock is locked', () => !lock.released);
    await gateway.presented('front-reader', cardId, `${cardId} releases it`, () => releasedNs.length > index);
  }
  await gateway.end('SIGKILL');
  const early = earlyReleases(shim.events(), releasedNs);

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
