import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { ReplicaClient, type ReplicaMessage } from '@sparc/edge/policy';
import { policyScene, STOPPED_CLOCK } from './policy-scene.js';

t.test('the replica thread tells how things stand, and then of each generation', async (t) => {
  const scene = policyScene(t);
  const { dataDir, publicKey } = scene;
  const heard = new EventEmitter();
  const client = new ReplicaClient(
    STOPPED_CLOCK,
    { dataDir, publicKey },
    {
      onMessage: (message) => heard.emit('message', message),
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
