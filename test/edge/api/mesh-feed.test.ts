import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { MESH_OFF, type MeshView } from '@sparc/edge/api';
import { DIRECTIVE_FEED_INTERVAL_MS, EventStreams, MESH_FEED_INTERVAL_MS, MeshFeed } from '@sparc/edge/api/server';
import { NO_DELIVERY } from '@sparc/protocol/delivery';
import { VirtualClock } from '@sparc/simulator/world';
import { eventually } from '../../support/peers.js';

/** A feed of a view that a test changes, and pages that look on. */
async function setUp(t: Test) {
  const clock = new VirtualClock();
  const streams = new EventStreams(clock);
  let view: MeshView = MESH_OFF;
  let delivery = NO_DELIVERY;
  let madeCount = 0;
  const mesh = () => {
    madeCount += 1;
    return view;
  };
  const feed = new MeshFeed(clock, streams, { mesh, delivery: () => delivery });
  feed.start();
  const server = createServer((_request, response) =>
    streams.open(response, {}, { site: {}, commissioning: {}, mesh: view, delivery: NO_DELIVERY }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    feed.stop();
    streams.close();
    server.close();
  });
  /** The states of the mesh that a page got. */
  const look = async () => {
    const { port } = server.address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve) => get({ host: '127.0.0.1', port }, resolve));
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
    const states = () => [...text.matchAll(/event: mesh\ndata: .*"state":"(\w+)"/g)].map(([, state]) => state);
    await eventually('the page has the first state', () => states().length === 1);
    const isComplete = () => [...text.matchAll(/"isComplete":(\w+)/g)].map(([, value]) => value);
    return { states, isComplete, isPast: (mark: string) => text.includes(mark) };
  };
  const change = (state: MeshView['state']) => (view = { ...MESH_OFF, state });
  /** A directive was answered, and shows in what the logs prove. */
  const answered = () => {
    delivery = { ...delivery, isComplete: !delivery.isComplete };
    feed.directive();
  };
  return { clock, streams, look, change, answered, madeCount: () => madeCount };
}

t.test('whoever looks on gets each change once, and nothing while all is as before', async (t) => {
  const { clock, streams, look, change } = await setUp(t);
  const { states, isPast } = await look();
  await clock.advance(3 * MESH_FEED_INTERVAL_MS);
  change('starting');
  await clock.advance(3 * MESH_FEED_INTERVAL_MS);
  streams.event('mark');
  await eventually('all is sent', () => isPast('mark'));
  t.strictSame(states(), ['off', 'starting']);
});

t.test('a view is made only while somebody looks on', async (t) => {
  const { clock, look, madeCount } = await setUp(t);
  await clock.advance(5 * MESH_FEED_INTERVAL_MS);
  t.equal(madeCount(), 0);
  await look();
  await clock.advance(5 * MESH_FEED_INTERVAL_MS);
  t.equal(madeCount(), 5);
});

t.test('what changed while nobody looked, and back while somebody did, is not lost on anybody', async (t) => {
  const { clock, look, change } = await setUp(t);
  const first = await look();
  change('starting');
  const second = await look();
  await eventually('the first page has what the second one began with', () => first.states().length === 2);
  change('off');
  await clock.advance(MESH_FEED_INTERVAL_MS);
  await eventually('both have what came then', () => first.states().length === 3 && second.states().length === 2);
  t.strictSame(first.states(), ['off', 'starting', 'off']);
  t.strictSame(second.states(), ['starting', 'off']);
});

t.test('answers to a directive are shown long before the rest, several of them at once', async (t) => {
  const { clock, look, answered } = await setUp(t);
  const { isComplete } = await look();
  answered();
  answered();
  answered();
  await clock.advance(DIRECTIVE_FEED_INTERVAL_MS);
  await eventually('the page has the answer', () => isComplete().length === 2);
  t.strictSame(isComplete(), ['true', 'false']);
});
