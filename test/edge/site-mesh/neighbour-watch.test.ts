import t from 'tap';
import { LOST_AFTER_MS, NeighbourWatch } from '@sparc/edge/site-mesh';
import type { MeshNetwork, MeshNetworkHandlers } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';

/** A network whose links a test makes and cuts by hand. */
class HandNetwork implements MeshNetwork {
  handlers: MeshNetworkHandlers | undefined;
  readonly calls: unknown[][] = [];

  async start(handlers: MeshNetworkHandlers): Promise<void> {
    this.handlers = handlers;
  }
  send(...args: [string, Uint8Array]): void {
    this.calls.push(['send', ...args]);
  }
  request(...args: [string, Uint8Array]) {
    this.calls.push(['request', ...args]);
    return { cancel: () => undefined, async *[Symbol.asyncIterator]() {} };
  }
  refuse(...args: [string, string]): void {
    this.calls.push(['refuse', ...args]);
  }
  async stop(): Promise<void> {
    this.calls.push(['stop']);
  }
}

async function setUp() {
  const clock = new VirtualClock();
  const network = new HandNetwork();
  const told: string[] = [];
  const heard: unknown[][] = [];
  const watch = new NeighbourWatch(clock, network, {
    onFound: (neighbour) => told.push(`found ${neighbour}`),
    onGoing: (neighbour) => heard.push(['going', neighbour]),
    onLost: (neighbour) => told.push(`lost ${neighbour}`),
  });
  await watch.network.start({
    onConnected: (...args) => heard.push(['connected', ...args]),
    onDisconnected: (...args) => heard.push(['disconnected', ...args]),
    onMessage: (...args) => heard.push(['message', ...args]),
    serve: (...args) => [Uint8Array.of(args.length)],
  });
  const { handlers } = network;
  if (handlers === undefined) throw new Error('not started');
  return { clock, network, links: handlers, watch, told, heard };
}

t.test('a neighbour is found at once, and lost when it stays away', async (t) => {
  const { clock, links, watch, told } = await setUp();
  links.onConnected('gate');
  t.strictSame([...watch.hereSinceUnixMs], [['gate', clock.wall().unixMs]]);
  t.strictSame(told, ['found gate']);
  links.onDisconnected('gate');
  t.equal(watch.hereSinceUnixMs.size, 0);
  await clock.advance(LOST_AFTER_MS - 1);
  t.strictSame(told, ['found gate']);
  await clock.advance(1);
  t.strictSame(told, ['found gate', 'lost gate']);
  links.onConnected('gate');
  t.strictSame(told, ['found gate', 'lost gate', 'found gate']);
});

t.test('a neighbour that is back soon was not lost, however often that happens', async (t) => {
  const { clock, links, told } = await setUp();
  links.onConnected('gate');
  for (let count = 0; count < 10; count++) {
    links.onDisconnected('gate');
    await clock.advance(LOST_AFTER_MS / 2);
    links.onConnected('gate');
    await clock.advance(LOST_AFTER_MS);
  }
  t.strictSame(told, ['found gate']);
});

t.test('a watch that was stopped tells of nobody', async (t) => {
  const { clock, links, network, watch, told } = await setUp();
  links.onConnected('gate');
  links.onDisconnected('gate');
  await watch.network.stop();
  t.strictSame(network.calls, [['stop']]);
  await clock.advance(2 * LOST_AFTER_MS);
  t.strictSame(told, ['found gate']);
});

t.test('whatever goes through a watch is as without it', async (t) => {
  const { links, network, watch, heard } = await setUp();
  const bytes = Uint8Array.of(1, 2, 3);
  links.onConnected('gate');
  links.onMessage('gate', bytes);
  links.onDisconnected('gate');
  t.strictSame(heard, [
    ['connected', 'gate'],
    ['message', 'gate', bytes],
    ['going', 'gate'],
    ['disconnected', 'gate'],
  ]);
  t.strictSame([...links.serve('gate', bytes)], [Uint8Array.of(2)]);
  watch.network.send('gate', bytes);
  watch.network.request('gate', bytes);
  watch.network.refuse('gate', 'why');
  t.strictSame(network.calls, [
    ['send', 'gate', bytes],
    ['request', 'gate', bytes],
    ['refuse', 'gate', 'why'],
  ]);
});

t.test('whoever went is away since then, until it is back', async (t) => {
  const { clock, links, watch } = await setUp();
  links.onConnected('gate');
  await clock.advance(1_000);
  links.onDisconnected('gate');
  t.strictSame([...watch.awaySinceUnixMs], [['gate', clock.wall().unixMs]]);
  await clock.advance(1_000);
  links.onConnected('gate');
  t.equal(watch.awaySinceUnixMs.size, 0);
});
