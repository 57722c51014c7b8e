import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  createRecoveryKey,
  digestOfBundle,
  Escrow,
  ESCROW_FILE,
  loadRecoveryKey,
  openBundle,
  sealBundle,
  type EscrowContent,
} from '@sparc/edge/commissioning';
import { nodeRandom } from '@sparc/edge/platform';
import type { EventRecord } from '@sparc/protocol/events';
import { VirtualClock } from '@sparc/simulator/world';
import { checkProperty } from '../../support/property.js';
import { scratch } from './commissioning-scene.js';

const SCBK = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf';
const CONTENT: EscrowContent = {
  siteId: 'harbour',
  gateway: 'hallway',
  sealedAtUnixMs: 1_790_000_000_000,
  devices: [{ id: 'front', bus: 'bus-a', address: 1, keys: { current: SCBK } }],
  busSpeeds: { 'bus-a': 38_400 },
};

function recoveryKey(t: Test) {
  const path = join(scratch(t), 'recovery.key');
  createRecoveryKey(path, nodeRandom);
  return { path, key: loadRecoveryKey(path) };
}

t.test('only the private half of the recovery key opens a bundle, which shows nothing', async (t) => {
  const { path, key } = recoveryKey(t);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.throws(() => createRecoveryKey(path, nodeRandom), { code: 'ERR_ESCROW_KEY_FILE' }, 'none is overwritten');
  const bundle = sealBundle(key.publicKey, CONTENT, nodeRandom);
  t.notMatch(Buffer.from(bundle).toString(), /front|harbour|a0a1a2/);
  t.strictSame(openBundle(bundle, key), CONTENT);
  t.throws(() => openBundle(bundle, recoveryKey(t).key), { code: 'ERR_ESCROW_KEY_WRONG' });
});

t.test('a bundle that was changed anywhere is not opened', async (t) => {
  const { key } = recoveryKey(t);
  const bundle = sealBundle(key.publicKey, CONTENT, nodeRandom);
  checkProperty(
    fc.property(fc.nat(bundle.length - 2), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(bundle);
      changed[at] = (changed[at] ?? 0) ^ flip;
      try {
        openBundle(changed, key);
      } catch (error) {
        return /^ERR_ESCROW_(FOREIGN|KEY_WRONG|DAMAGED)$/.test((error as { code: string }).code);
      }
      // The last character of base64url may carry bits that mean nothing, and JSON may carry blanks.
      return (
        Buffer.from(changed).toString('base64url') !== Buffer.from(bundle).toString('base64url') &&
        isSameBundle(changed, bundle)
      );
    }),
    300,
  );
  t.throws(() => openBundle(Buffer.from('{}'), key), { code: 'ERR_ESCROW_FOREIGN' });
  t.throws(() => openBundle(Buffer.from('\0\xff', 'latin1'), key), { code: 'ERR_ESCROW_FOREIGN' });
});

function isSameBundle(a: Uint8Array, b: Uint8Array): boolean {
  const parts = (bytes: Uint8Array) =>
    Object.values(JSON.parse(Buffer.from(bytes).toString()) as Record<string, string | number>).map((value) =>
      typeof value === 'string' && value.length >= 43 ? Buffer.from(value, 'base64url').toString('hex') : value,
    );
  return JSON.stringify(parts(a)) === JSON.stringify(parts(b));
}

t.test('a file that holds no recovery key is refused by its reason', async (t) => {
  const path = join(scratch(t), 'other.key');
  t.throws(() => loadRecoveryKey(path), { code: 'ERR_ESCROW_KEY_FILE', message: /no such file/ });
  writeFileSync(path, 'no key', { mode: 0o600 });
  t.throws(() => loadRecoveryKey(path), { code: 'ERR_ESCROW_KEY_FILE', message: /no X25519 key/ });
});

t.test('every bundle goes to the data directory and to the second place, and its digest on record', async (t) => {
  const { key } = recoveryKey(t);
  const dataDir = scratch(t);
  const share = scratch(t);
  const events: EventRecord[] = [];
  const deps = {
    clock: new VirtualClock(),
    random: nodeRandom,
    dataDir,
    record: (event: EventRecord) => events.push(event),
  };
  const path = join(share, 'hallway.sealed');
  const escrow = new Escrow(deps, { recoveryKey: key.publicKey, path });
  await escrow.write(CONTENT);
  const bytes = readFileSync(path);
  t.strictSame(readFileSync(join(dataDir, ESCROW_FILE)), bytes);
  t.strictSame(openBundle(bytes, key), CONTENT);
  t.strictSame(events, [{ name: 'escrow.written', detail: { digest: digestOfBundle(bytes), devices: '1' } }]);

  const lost = new Escrow(deps, { recoveryKey: key.publicKey, path: join(share, 'gone', 'hallway.sealed') });
  await t.rejects(lost.write(CONTENT), { code: 'ERR_ESCROW_WRITE_FAILED' });
  t.match(events.at(-1), { name: 'escrow.failed', code: 'ERR_ESCROW_WRITE_FAILED' });
});

t.test('a share that hangs holds up nothing for longer than its time', async (t) => {
  const { key } = recoveryKey(t);
  const clock = new VirtualClock();
  const dataDir = scratch(t);
  const folder = join(scratch(t), 'share');
  mkdirSync(folder);
  const escrow = new Escrow(
    { clock, random: nodeRandom, dataDir, record: () => undefined },
    { recoveryKey: key.publicKey, path: join(folder, 'a.sealed') },
  );
  // In virtual time the deadline comes before the disk can answer, as with a disk that never does.
  const written = escrow.write(CONTENT);
  const refused = t.rejects(written, { code: 'ERR_ESCROW_WRITE_FAILED', message: /5000 ms/ });
  await clock.advance(5_000);
  await refused;
});
