import { EventEmitter, once } from 'node:events';
import t from 'tap';
import type { ReplicaMessage } from '@sparc/edge/policy';
import { ReplicaClient } from '@sparc/edge/replica-thread';
import { policyScene, STOPPED_CLOCK } from '../policy/policy-scene.js';

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
