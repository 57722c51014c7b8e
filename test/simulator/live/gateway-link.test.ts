import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayLink } from '@sparc/simulator/live';
import t, { type Test } from 'tap';
import { eventually } from '../../support/peers.js';

const CUT_FOR_MS = 100;

/** Answers whatever it hears. */
async function echo(t: Test) {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function linked(t: Test) {
  const link = await GatewayLink.open({ id: 'a', meshPort: await echo(t) }, { id: 'b', meshPort: await echo(t) });
  t.teardown(() => link.close());
  const call = async (id: string) => {
    const socket = connect(Number(link.addressOf(id)?.split(':')[1]), '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket.on('error', () => undefined);
  };
  return { link, call };
}

function heard(socket: Socket): () => string {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return () => text;
}

t.test('each end of a cable reaches the other one', async (t) => {
  const { link, call } = await linked(t);
  t.equal(link.id, 'a-b');
  for (const id of link.ends) {
    const socket = await call(id);
    const text = heard(socket);
    socket.write('hello');
    await eventually('it is answered', () => text() === 'hello');
  }
  t.equal(link.addressOf('c'), undefined);
});

t.test('through a cut cable nothing goes and nobody is told; what waited goes on when it is mended', async (t) => {
  const { link, call } = await linked(t);
  const socket = await call('a');
  const text = heard(socket);
  socket.write('one');
  await eventually('it is answered', () => text() === 'one');
  link.setCut(true);
  t.equal(link.isCut, true);
  socket.write(' two');
  await sleep(CUT_FOR_MS);
  t.equal(text(), 'one');
  t.equal(socket.destroyed, false);
  const another = await call('b');
  await once(another, 'close');
  link.setCut(false);
  await eventually('the rest is answered', () => text() === 'one two');
});
