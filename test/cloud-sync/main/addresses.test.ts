import { once } from 'node:events';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { Aedes } from 'aedes';
import Fastify from 'fastify';
import { pino } from 'pino';
import t from 'tap';
import { HttpPart, MqttPart } from '@sparc/cloud-sync/main';
import { freePort } from '@sparc/simulator/live';
import { eventually } from '../../support/peers.js';

t.test('an address that is taken is told by its code, and taken once it is free', async (t) => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const part = new HttpPart('api', { host: '127.0.0.1', port }, async () => Fastify());
  await t.rejects(part.start(), { code: 'ERR_CONFIG_ADDRESS_TAKEN', message: new RegExp(`EADDRINUSE.*${port}`) });
  other.close();
  await once(other, 'close');
  await part.start();
  await part.stop();
});

t.test('a broker that is away is told once by its code, however often it is called, and when it comes', async (t) => {
  const calls = { count: 0 };
  const port = await freePort();
  const refusing = createServer((socket) => {
    calls.count += 1;
    socket.destroy();
  }).listen(port, '127.0.0.1');
  await once(refusing, 'listening');
  const out = new PassThrough();
  let said = '';
  out.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const part = new MqttPart(pino(out), { url: `mqtt://127.0.0.1:${port}` });
  t.equal(part.problem(), 'was not reached yet');
  await part.start();
  t.teardown(() => part.stop());
  await eventually('it is called again', () => calls.count >= 3, 30_000);
  t.match(part.problem(), /^ERR_LINK_BROKER_UNREACHABLE: /);
  refusing.close();
  await once(refusing, 'close');
  const aedes = await Aedes.createBroker();
  const broker = createServer((socket) => aedes.handle(socket)).listen(port, '127.0.0.1');
  t.teardown(() => [aedes.close(), broker.close()]);
  await eventually('it is reached', () => part.problem() === undefined, 30_000);
  const lines = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly level: number });
  t.equal(lines.at(-1)?.level, 30);
  const told = lines.slice(0, -1).map((line) => JSON.stringify({ ...line, time: 0 }));
  t.match(lines[0], { level: 40, part: 'broker', err: { code: 'ERR_LINK_BROKER_UNREACHABLE' } });
  t.equal(new Set(told).size, told.length, 'once for each reason');
});
