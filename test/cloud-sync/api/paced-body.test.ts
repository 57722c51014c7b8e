import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { BODY_PACE_BYTES, BODY_PACE_MS, newApp } from '@sparc/cloud-sync/api';
import { VirtualClock } from '@sparc/simulator/world';
import { eventually } from '../../support/peers.js';

const BODY_BYTES_MAX = 8 * BODY_PACE_BYTES;

/** A server that says how long a text was, and answers nobody under `/refused`. */
async function serve(t: Test) {
  const clock = new VirtualClock({ startUnixMs: 0 });
  const app = newApp(
    { clock, log: pino({ level: 'silent' }), onAnswer: () => undefined },
    { bodyBytesMax: BODY_BYTES_MAX },
  );
  app.post<{ Body: string }>('/', async ({ body }) => ({ length: body.length }));
  app.post('/refused', { onRequest: async (_request, reply) => reply.code(403).send() }, async () => undefined);
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const post = async (path: string, length: number) => {
    const connected = once(app.server, 'connection') as Promise<[Socket]>;
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    t.teardown(() => socket.destroy());
    const answer = { text: '', isOver: false };
    socket.on('data', (text: string) => (answer.text += text)).on('error', () => undefined);
    socket.once('close', () => (answer.isOver = true));
    const [other] = await connected;
    /** Resolves when the server has it. */
    const write = async (text: string) => {
      socket.write(text);
      const all = socket.bytesWritten;
      await eventually('it arrived', () => other.bytesRead >= all || other.destroyed);
      await setImmediate();
    };
    await write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n\r\n`);
    return { answer, write };
  };
  return { clock, post };
}

t.test('a body that keeps coming may take as long as it takes', async (t) => {
  const { clock, post } = await serve(t);
  const { answer, write } = await post('/', 6 * BODY_PACE_BYTES);
  for (let part = 0; part < 6; part++) {
    await clock.advance(BODY_PACE_MS - 1_000);
    await write('a'.repeat(BODY_PACE_BYTES));
  }
  await eventually('it is answered', () => answer.text.endsWith(`{"length":${6 * BODY_PACE_BYTES}}`));
  t.match(answer.text, /^HTTP\/1.1 200 /);
});

t.test('one that stops, or trickles, is answered and its connection closed', async (t) => {
  const { clock, post } = await serve(t);
  const { answer, write } = await post('/', 100);
  for (let part = 0; part < 3; part++) {
    await write('a'.repeat(10));
    await clock.advance(BODY_PACE_MS / 3);
  }
  await eventually('it is closed', () => answer.isOver);
  t.match(answer.text, /^HTTP\/1.1 408 /);
  t.match(answer.text, /"ERR_API_BODY_SLOW"/);
});

t.test('a request that is refused before its body came keeps no connection', async (t) => {
  const { post } = await serve(t);
  const { answer } = await post('/refused', 100);
  await eventually('it is closed', () => answer.isOver);
  t.match(answer.text, /^HTTP\/1.1 403 /);
});
