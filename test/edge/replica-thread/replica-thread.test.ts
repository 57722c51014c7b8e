import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Heard } from '@sparc/edge/heard';
import { expulsionsToTexts, writeMembership } from '@sparc/edge/membership';
import { LIFE_INTERVAL_MS, UNANSWERED_MAX } from '@sparc/edge/platform';
import { JOURNAL_FILE, SqliteLogStore } from '@sparc/edge/ledger';
import type { ReplicaMessage } from '@sparc/edge/policy';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import { ReplicaClient } from '@sparc/edge/replica-thread';
import { signRoster } from '@sparc/protocol/roster';
import { appendOf } from '@sparc/simulator/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { eventually } from '../../support/peers.js';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { policyScene, STOPPED_CLOCK } from '../policy/policy-scene.js';

/** As a gateway is that was enrolled. */
function joined(dataDir: string): void {
  const authority = testSigner(9);
  writeMembership(dataDir, {
    authority: authority.publicKey,
    secrets: { present: { number: 1, issuedUnixMs: 1, secret: new Uint8Array(32) }, previous: [] },
    pinKey: new Uint8Array(32),
    signed: signRoster(authority, rosterWith([2, 3].map(member))),
  });
}

t.test('the replica thread tells how things stand, and then of each generation', async (t) => {
  const scene = policyScene(t);
  const { dataDir, publicKey } = scene;
  const heard = new EventEmitter();
  const client = new ReplicaClient(
    STOPPED_CLOCK,
    { dataDir, publicKey },
    {
      onMessage: (message) => heard.emit('message', message),
      onHeard: () => undefined,
      onUnheard: () => undefined,
      onFailed: (error) => heard.emit('error', error),
    },
  );
  const next = async () => ((await once(heard, 'message')) as [ReplicaMessage])[0];
  const none = next();
  client.start();
  t.strictSame(await none, { kind: 'none' });
  const changed = next();
  const { revision } = scene.apply();
  t.match(await changed, { kind: 'generation', manifest: { revision } });
  await client.stop();
  await client.stop();
});

t.test('a replica thread that ends is reported', async (t) => {
  const scene = policyScene(t);
  const failed = new Promise<Error>((resolve) => {
    // A path that is no folder: the thread cannot work there.
    const client = new ReplicaClient(
      STOPPED_CLOCK,
      { dataDir: '/dev/null', publicKey: scene.publicKey },
      {
        onMessage: () => undefined,
        onHeard: () => undefined,
        onUnheard: () => undefined,
        onFailed: (error) => {
          resolve(error);
          void client.stop();
        },
      },
    );
    client.start();
  });
  t.match(await failed, { code: 'ERR_GATEWAY_PART_FAILED' });
});

t.test('an expulsion that the disk refused is known to a thread that starts again', async (t) => {
  const { dataDir, publicKey } = policyScene(t);
  joined(dataDir);
  let client: ReplicaClient | undefined;
  const heard = new Promise<Heard>((resolve, reject) => {
    client = new ReplicaClient(
      STOPPED_CLOCK,
      { dataDir, publicKey },
      { onMessage: () => undefined, onHeard: resolve, onUnheard: reject, onFailed: reject },
    );
    // Said while there is no thread.
    client.hear();
    client.expelled(expulsionsToTexts([{ key: keyOf(2), heads: [] }]));
    client.start();
  });
  t.match(await heard, { roster: { expelled: [{ key: keyOf(2) }], members: { length: 1 } } });
  await client?.stop();
});

t.test('what another gateway recorded comes to the field, whether or not anybody hints at it', async (t) => {
  const { dataDir, publicKey } = policyScene(t);
  joined(dataDir);
  const heard = new EventEmitter();
  const client = new ReplicaClient(
    STOPPED_CLOCK,
    { dataDir, publicKey },
    {
      onMessage: () => undefined,
      onHeard: (each) => heard.emit('heard', each),
      onUnheard: (unheard) => heard.emit('error', new Error(unheard.message)),
      onFailed: (error) => heard.emit('error', error),
    },
  );
  t.teardown(() => client.stop());
  const next = async () => ((await once(heard, 'heard')) as [Heard])[0];
  const first = next();
  client.start();
  client.hear();
  t.match(await first, { roster: { authority: keyOf(9) }, entries: [], behind: [] });
  const store = SqliteReplicaStore.open(join(dataDir, REPLICA_FILE));
  t.teardown(() => store.close());
  const chain = new TestChain(testSigner(2));
  const started = { name: 'gateway.started', detail: { name: 'north', buses: 'b1' } } as const;
  const second = next();
  store.append([chain.open(1, [started])], []);
  t.match(await second, { entries: [{ id: { author: keyOf(2), epoch: 1, sequence: 2 }, record: started }] });
  const third = next();
  store.append([chain.add(started)], []);
  client.stored();
  t.match(await third, { entries: [{ id: { sequence: 3 } }] });
});

t.test(
  'what the own disk lost comes to the field from the replicas, with the epoch that is to be gone above',
  async (t) => {
    const { dataDir } = policyScene(t);
    joined(dataDir);
    const started = { name: 'gateway.started', detail: { name: 'north', buses: 'b1' } } as const;
    const lockdown = { name: 'site.lockdown', detail: { by: 'somebody' } } as const;
    const chain = new TestChain(testSigner(2));
    const kept = chain.open(1, [started]);
    const restored = chain.branch();
    const journal = SqliteLogStore.open(join(dataDir, JOURNAL_FILE));
    for (const commit of [kept, restored.open(2, [started], false, 77)]) await journal.commit(commit);
    journal.close();
    const replicas = SqliteReplicaStore.open(join(dataDir, REPLICA_FILE));
    replicas.append([kept, chain.add(lockdown), chain.open(2, [lockdown])].map(appendOf), []);
    replicas.close();
    let client: ReplicaClient | undefined;
    const entries: Heard['entries'][number][] = [];
    const lostEpoch = new Promise<number>((resolve, reject) => {
      // In one piece, or in several where the machine is busy.
      const onHeard = (heard: Heard) => {
        entries.push(...heard.entries);
        if (heard.lostEpoch !== undefined) resolve(heard.lostEpoch);
      };
      client = new ReplicaClient(
        STOPPED_CLOCK,
        { dataDir, publicKey: testSigner(2).publicKey },
        { onMessage: () => undefined, onHeard, onUnheard: reject, onFailed: reject },
      );
      client.start();
      client.hear();
    });
    const author = keyOf(2);
    t.equal(await lostEpoch, 2);
    t.match(entries, [{ id: { author, epoch: 1, sequence: 3 } }, { id: { author, epoch: 2, sequence: 2 } }]);
    await client?.stop();
  },
);

t.test('a file that cannot be read is told, and what can be read again is told anew', async (t) => {
  const { dataDir, publicKey } = policyScene(t);
  const replicas = join(dataDir, REPLICA_FILE);
  writeFileSync(replicas, 'no database '.repeat(500));
  joined(dataDir);
  const told = new EventEmitter();
  const client = new ReplicaClient(
    STOPPED_CLOCK,
    { dataDir, publicKey },
    {
      onMessage: () => undefined,
      onHeard: (each) => told.emit('heard', each),
      onUnheard: (unheard) => told.emit('unheard', unheard),
      onFailed: (error) => told.emit('error', error),
    },
  );
  t.teardown(() => client.stop());
  const unheard = once(told, 'unheard');
  client.start();
  client.hear();
  t.match((await unheard)[0], { code: 'ERR_LEDGER_CORRUPT', author: undefined });
  rmSync(replicas);
  SqliteReplicaStore.open(replicas).close();
  t.match((await once(told, 'heard'))[0], { roster: { members: { length: 2 } }, behind: [] });
});

t.test('a thread that hangs is told, and another one is started once it ended', async (t) => {
  const { dataDir, publicKey } = policyScene(t);
  const replicas = join(dataDir, REPLICA_FILE);
  joined(dataDir);
  // Whoever opens it waits for somebody who writes.
  execFileSync('mkfifo', [replicas]);
  const clock = new VirtualClock();
  const told = new EventEmitter();
  const client = new ReplicaClient(
    clock,
    { dataDir, publicKey },
    {
      onMessage: (message) => told.emit('message', message),
      onHeard: (each) => told.emit('heard', each),
      onUnheard: () => undefined,
      onFailed: (error) => told.emit('failed', error),
    },
  );
  t.teardown(() => client.stop());
  const started = once(told, 'message');
  client.start();
  await started;
  client.hear();
  const failures: unknown[] = [];
  told.on('failed', (error) => failures.push(error));
  await clock.advance((UNANSWERED_MAX + 1) * LIFE_INTERVAL_MS);
  t.match(failures, [{ code: 'ERR_GATEWAY_PART_FAILED', message: /does not answer/ }]);
  await clock.advance(3_600_000);
  t.equal(failures.length, 1, 'no other hangs beside it');
  const writer = openSync(replicas, 'r+');
  rmSync(replicas);
  SqliteReplicaStore.open(replicas).close();
  closeSync(writer);
  await eventually('it ended', () => clock.nextTimerAtMs() !== undefined);
  const heard = once(told, 'heard');
  await clock.advance(1_000);
  t.match((await heard)[0], { roster: { members: { length: 2 } }, behind: [] });
});

t.test('a thread that works a moment and ends, again and again, is started less and less often', async (t) => {
  const { dataDir, publicKey } = policyScene(t);
  joined(dataDir);
  const clock = new VirtualClock();
  const pausesMs: number[] = [];
  let hasFailed = false;
  const client = new ReplicaClient(
    clock,
    { dataDir, publicKey },
    {
      onMessage: () => undefined,
      // It told what it knows; what follows is none, and ends it.
      onHeard: () => client.expelled([{ key: keyOf(2), heads: ['no head'] }]),
      onUnheard: () => undefined,
      onFailed: () => {
        client.expelled([]);
        hasFailed = true;
      },
    },
  );
  t.teardown(() => client.stop());
  client.start();
  client.hear();
  for (let count = 0; count < 3; count += 1) {
    await eventually('it ended', () => hasFailed);
    hasFailed = false;
    const nextAtMs = clock.nextTimerAtMs() ?? NaN;
    pausesMs.push(nextAtMs - clock.monotonicMs());
    await clock.run(nextAtMs);
  }
  t.strictSame(pausesMs, [1_000, 2_000, 4_000]);
});
