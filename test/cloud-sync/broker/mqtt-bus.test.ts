import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import t from 'tap';
import { MqttBus } from '@sparc/cloud-sync/broker';
import { downFilter, upTopic, type Carrier } from '@sparc/protocol/cloud-link';
import { freePort } from '@sparc/simulator/live';
import { eventually } from '../../support/peers.js';

const carrier: Carrier = {
  tenant: '00000000-0000-0000-0000-000000000001',
  site: 'harbour',
  gateway: 'ab'.repeat(32),
};

/** A broker that speaks MQTT 3.1.1 alone, and shares nothing. */
class OldBroker {
  readonly versions = new Set<number>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #aedes: Aedes | undefined;

  constructor(readonly port: number) {}

  /** Also after `kill`. */
  async run(): Promise<void> {
    const aedes = (this.#aedes = await Aedes.createBroker());
    aedes.on('client', (client) => void this.versions.add((client as unknown as { version: number }).version));
    const server = (this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      aedes.handle(socket);
    }));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
  }

  async kill(): Promise<void> {
    const [server, aedes] = [this.#server, this.#aedes];
    this.#server = undefined;
    if (server === undefined || aedes === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => aedes.close(resolve));
    await closed;
  }

  /** A gateway calls, and hears what is said to it. */
  async call(t: { teardown(undo: () => unknown): void }, heard: string[]) {
    const client = await connectAsync(`mqtt://127.0.0.1:${this.port}`, { protocolVersion: 4, reconnectPeriod: 0 });
    t.teardown(() => client.endAsync(true));
    client.on('message', (topic, body) => heard.push(`${topic.split('/').at(-1)} ${body.toString()}`));
    await client.subscribeAsync(downFilter(carrier), { qos: 1 });
    return client;
  }
}

t.test('a broker of MQTT 3.1.1 is spoken to as it speaks, and all who hear one kind hear it there', async (t) => {
  const broker = new OldBroker(await freePort());
  await broker.run();
  t.teardown(() => broker.kill());
  const turns: boolean[] = [];
  const bus = new MqttBus(
    { onTurn: (isConnected) => turns.push(isConnected) },
    { url: `mqtt://127.0.0.1:${broker.port}` },
  );
  t.teardown(() => bus.stop());
  const said: string[] = [];
  const hear = (what: 'hello' | 'batch', sharing?: string) =>
    bus.hear(
      what,
      ({ gateway }, body) =>
        said.push(`${sharing} hears ${what} of ${gateway.slice(0, 2)}: ${Buffer.from(body).toString()}`),
      sharing,
    );
  await hear('hello', 'ingest');
  await hear('hello', 'publisher');
  bus.start();
  await eventually('it is connected', () => turns.at(-1) === true);
  t.strictSame([...broker.versions], [4]);
  await hear('batch');

  const heard: string[] = [];
  const gateway = await broker.call(t, heard);
  const speak = async (of: typeof gateway, number: number) => {
    await of.publishAsync(upTopic(carrier, 'hello'), `hello ${number}`, { qos: 1 });
    await of.publishAsync(upTopic(carrier, 'parts'), 'nobody hears this', { qos: 1 });
    await of.publishAsync(upTopic(carrier, 'batch'), `batch ${number}`, { qos: 1 });
    await eventually(`all is heard of ${number}`, () => said.length === 3);
    return said.splice(0).sort();
  };
  t.strictSame(await speak(gateway, 1), [
    'ingest hears hello of ab: hello 1',
    'publisher hears hello of ab: hello 1',
    'undefined hears batch of ab: batch 1',
  ]);
  await bus.say(carrier, 'ack', Buffer.from('stored'));
  await eventually('the gateway hears its own', () => heard.includes('ack stored'));

  await broker.kill();
  await eventually('it says that it is away', () => turns.at(-1) === false);
  await bus.say(carrier, 'ack', Buffer.from('lost'));
  await broker.run();
  await eventually('it is connected again', () => turns.at(-1) === true);
  const again: string[] = [];
  const later = await broker.call(t, again);
  t.strictSame(
    await speak(later, 2),
    [
      'ingest hears hello of ab: hello 2',
      'publisher hears hello of ab: hello 2',
      'undefined hears batch of ab: batch 2',
    ],
    'each once, as before',
  );
  await bus.say(carrier, 'want', Buffer.from('more'));
  await eventually('the gateway hears it', () => again.length > 0);
  t.strictSame(again, ['want more'], 'what was said meanwhile is lost: messages only hint');
});
