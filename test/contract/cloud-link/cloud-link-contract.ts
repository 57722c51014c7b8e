import t from 'tap';
import { DOWN, UP, type Down, type Up } from '@sparc/protocol/cloud-link';
import type { CloudLink } from '@sparc/protocol/ports';

/** A gateway, a broker, and what is between them. */
export interface CloudLinkScene {
  /** Of the gateway; not started. */
  readonly link: CloudLink;
  /** Another one of the same gateway. */
  readonly another: () => CloudLink;
  /** What the cloud heard of this gateway so far. */
  readonly heard: readonly { readonly what: Up; readonly body: Uint8Array }[];
  readonly say: (what: Down, body: Uint8Array) => void;
  /** The link ends, and calls fail, until what is returned is called. */
  readonly cut: () => () => void;
  readonly until: (what: string, condition: () => boolean) => Promise<void>;
  dispose(): Promise<void>;
}

const body = (index: number) => Uint8Array.of(1, 2, index);

/** What every link of a gateway to the cloud does. */
export function cloudLinkContract(name: string, open: () => Promise<CloudLinkScene>): void {
  const scene = async (t: { teardown(undo: () => unknown): void }) => {
    const made = await open();
    t.teardown(() => made.dispose());
    const events: string[] = [];
    const told: { readonly what: Down; readonly body: Uint8Array }[] = [];
    const start = () =>
      made.link.start({
        onConnected: () => events.push('connected'),
        onDisconnected: (why) => events.push(why === '' ? 'no reason' : 'disconnected'),
        onMessage: (what, bytes) => told.push({ what, body: Uint8Array.from(bytes) }),
      });
    return { ...made, events, told, start };
  };

  t.test(`${name}: calls by itself, and each side hears what the other says, as it was said`, async (t) => {
    const { link, heard, told, events, say, start, until } = await scene(t);
    start();
    t.strictSame(events, [], 'nobody waits for it');
    await until('it is connected', () => events.length > 0);
    t.strictSame(events, ['connected']);
    UP.forEach((what, index) => link.send(what, body(index)));
    await until('the cloud has heard all', () => heard.length >= UP.length);
    t.strictSame(
      heard.map((one) => ({ ...one })),
      UP.map((what, index) => ({ what, body: body(index) })),
    );
    DOWN.forEach((what, index) => say(what, body(index)));
    await until('the gateway has heard all', () => told.length >= DOWN.length);
    t.strictSame(
      told,
      DOWN.map((what, index) => ({ what, body: body(index) })),
    );
  });

  t.test(`${name}: what is handed over while it is away is lost, and it comes back by itself`, async (t) => {
    const { link, heard, told, events, say, cut, start, until } = await scene(t);
    link.send('hello', body(1));
    const mend = cut();
    start();
    await until('a call fails', () => events.length > 0);
    t.equal(events[0], 'disconnected', 'with a reason');
    link.send('hello', body(2));
    say('ack', body(3));
    mend();
    await until('it is connected', () => events.at(-1) === 'connected');
    link.send('hello', body(4));
    await until('the cloud hears', () => heard.length > 0);
    cut()();
    await until('it is connected again', () => events.filter((event) => event === 'connected').length > 1);
    link.send('batch', body(5));
    await until('the cloud hears again', () => heard.length > 1);
    t.strictSame(
      heard.map((one) => one.body[2]),
      [4, 5],
    );
    t.strictSame(told, []);
  });

  t.test(`${name}: stopped, it says nothing and hears nothing more`, async (t) => {
    const { link, another, heard, told, events, say, start, until } = await scene(t);
    start();
    await until('it is connected', () => events.length > 0);
    link.send('hello', body(1));
    await until('the cloud hears', () => heard.length > 0);
    await Promise.all([link.stop(), link.stop()]);
    link.send('hello', body(2));

    const next = another();
    let [isConnected, hearsCount] = [false, 0];
    next.start({
      onConnected: () => (isConnected = true),
      onDisconnected: () => (isConnected = false),
      onMessage: () => (hearsCount += 1),
    });
    t.teardown(() => next.stop());
    await until('another one is connected', () => isConnected);
    next.send('hello', body(3));
    say('ack', body(4));
    await until('it is heard, and hears', () => heard.some((one) => one.body[2] === 3) && hearsCount > 0);
    t.strictSame([events, told], [['connected'], []]);
    t.strictSame(
      heard.map((one) => one.body[2]),
      [1, 3],
    );
  });
}
