import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import t from 'tap';
import { Broker, UNREAD_BYTES_MAX, UNREAD_MAX_MS, type Refusal } from '@sparc/cloud-sync/broker';
import { downFilter, upTopic, type Carrier } from '@sparc/protocol/cloud-link';
import { keyAndRequest, openAuthorities } from '../../support/certificates.js';
import { eventually } from '../../support/peers.js';

const WITHIN_MS = 30_000;
const BODY = Buffer.alloc(262_144, 1);
const pem = (der: Uint8Array) => new X509Certificate(der).toString();
const carrierOf = (tenant: number, gateway: string): Carrier => ({
  tenant: `00000000-0000-0000-0000-00000000000${tenant}`,
  site: 'harbour',
  gateway: gateway.repeat(32),
});

const turnOf = (client: MqttClient, turn: 'connect' | 'close') =>
  new Promise<void>((resolve) => client.once(turn, () => resolve()));

async function setUp(t: { teardown(undo: () => unknown): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-broker-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const authorities = await openAuthorities(folder);
  const refusals: Refusal[] = [];
  const credentials = await authorities.server(['127.0.0.1']);
  const brokerAt = (port: number) =>
    new Broker(
      { isAdmitted: () => Promise.resolve(true), onRefused: (why) => refusals.push(why) },
      { host: '127.0.0.1', port, ...credentials, rootPem: authorities.rootPem },
    );
  const broker = brokerAt(0);
  await broker.start();
  t.teardown(() => broker.stop());
  const call = async (carrier: Carrier, more: IClientOptions = {}): Promise<MqttClient> => {
    const { keyPem: key, request } = keyAndRequest();
    const { chain } = await authorities.issue(carrier, request);
    const tls = { key, cert: chain.map(pem).join(''), ca: authorities.rootPem };
    const client = connect(`mqtts://127.0.0.1:${broker.port}`, {
      ...{ clientId: carrier.gateway, protocolVersion: 4, reconnectPeriod: 0 },
      ...{ ...tls, ...more },
    });
    client.on('error', () => undefined);
    t.teardown(() => client.end(true));
    return client;
  };
  return { broker, brokerAt, refusals, call };
}

t.test('where its address is taken, nothing stays that would keep the process', async (t) => {
  const { broker, brokerAt } = await setUp(t);
  const timersCount = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timersCount();
  await t.rejects(brokerAt(broker.port).start(), { code: 'EADDRINUSE' });
  t.equal(timersCount(), before);
});

t.test('who would have the broker keep something for it is cut off, and counted', async (t) => {
  const { refusals, call } = await setUp(t);
  const carrier = carrierOf(1, '11');
  const will = { topic: upTopic(carrier, 'hello'), payload: Buffer.from('x'), qos: 0, retain: false } as const;
  for (const session of [{ clean: false }, { will }]) {
    const client = await call(carrier, session);
    await turnOf(client, 'close');
    t.strictSame(refusals.splice(0), ['session']);
  }
  const client = await call(carrier);
  await turnOf(client, 'connect');
  client.publish(upTopic(carrier, 'batch'), BODY, { qos: 2 });
  await turnOf(client, 'close');
  t.strictSame(refusals.splice(0), ['publish']);
});

t.test('gateways that do not read hold up nobody, and little is kept for them', async (t) => {
  const { broker, call } = await setUp(t);
  const [silent, honest] = [carrierOf(1, '11'), carrierOf(2, '22')];
  const heard: string[] = [];
  await broker.hear('hello', ({ gateway }) => heard.push(gateway));
  const client = await call(silent);
  await turnOf(client, 'connect');
  await client.subscribeAsync(downFilter(silent), { qos: 1 });
  client.stream.pause();
  const saidCount = 200;
  const said: Promise<void>[] = [];
  for (let count = 0; count < saidCount; count += 1) {
    said.push(broker.say(silent, 'batch', BODY));
    await setTimeout(1);
  }
  const [other, atMs] = [await call(honest), Date.now()];
  await turnOf(other, 'connect');
  other.publish(upTopic(honest, 'hello'), 'x');
  await eventually('another is heard', () => heard.includes(honest.gateway), WITHIN_MS);
  t.ok(Date.now() - atMs < UNREAD_MAX_MS, 'before the link that nobody reads ends');

  let cameCount = 0;
  client.on('message', () => (cameCount += 1));
  client.stream.resume();
  await Promise.all(said);
  await eventually('it reads what was kept', () => cameCount > 0, WITHIN_MS);
  await setTimeout(2_000);
  t.ok(cameCount * BODY.length < 4 * UNREAD_BYTES_MAX, `${cameCount} of ${saidCount} were kept`);
});
