import '@sparc/edge/platform';
import { multiaddrConnectionPair } from '@libp2p/utils';
import t from 'tap';
import { muxer } from '@sparc/edge/mesh';

t.test('a stream that is opened while its connection begins to close harms nobody', async (t) => {
  for (const close of ['close', 'abort'] as const) {
    const [connection] = multiaddrConnectionPair();
    const opened = muxer({})().createStreamMuxer(connection).createStream({ protocol: '/test/1' });
    const closed = close === 'close' ? connection.close() : connection.abort(new Error('it is gone'));
    // What is thrown outside of every promise ends the process, and this file with it.
    await Promise.allSettled([opened, closed]);
    await new Promise(setImmediate);
  }
  t.pass();
});

t.test('an open connection carries what is written', async (t) => {
  const [near, far] = multiaddrConnectionPair();
  const factory = muxer({})();
  const here = factory.createStreamMuxer(near);
  const arrived = new Promise<void>((resolve) =>
    factory.createStreamMuxer(far).addEventListener('stream', () => resolve()),
  );
  await here.createStream({ protocol: '/test/1' });
  await arrived;
  t.equal(here.streams.length, 1);
  // An open connection is kept alive by a timer, and this process with it.
  for (const end of [near, far]) end.abort(new Error('it is over'));
});
