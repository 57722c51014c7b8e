import t from 'tap';
import { Dialler } from '@sparc/edge/mesh';
import { VirtualClock } from '@sparc/simulator/world';

const [self, neighbour] = ['00', 'bb'].map((byte) => byte.repeat(32)) as [string, string];

t.test('a slow neighbour is reached although all its other addresses swallow calls', async (t) => {
  const clock = new VirtualClock();
  const [answers, swallow] = [8, [1, 2, 3, 4, 5, 6, 7]];
  let reachedAtMs: number | undefined;
  const startedAtMs = clock.monotonicMs();
  const dialler = new Dialler(self, {
    clock,
    addressesOf: () => [...swallow, answers].map((port) => `10.0.0.1:${port}`),
    isHere: () => reachedAtMs !== undefined,
    dial: (address, signal) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('it took too long')));
        if (!address.toString().includes(`/tcp/${answers}/`)) return;
        clock.setTimer(4_000, () => {
          if (signal.aborted) return;
          reachedAtMs = clock.monotonicMs() - startedAtMs;
          resolve();
        });
      }),
  });
  t.teardown(() => dialler.stop());
  dialler.take({ kind: 'members', members: [self, neighbour] });
  await clock.advance(60_000);
  t.equal(reachedAtMs, swallow.length * 5_000 + 4_000);
});
