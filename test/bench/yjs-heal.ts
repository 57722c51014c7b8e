import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import * as Y from 'yjs';
import { BACKLOG, EVENT_BYTES, GATEWAYS, NEWS, timeHeal, type HealRun, type Healed } from './heal.js';

const KINDS = ['vector', 'update'] as const;
const eventsOf = (doc: Y.Doc) => doc.getArray<Uint8Array>('events');

/** Yjs on the same task: one document a gateway, in memory and unsigned; state vectors and updates over TCP. */
export async function runYjs(): Promise<HealRun> {
  const docs = Array.from({ length: GATEWAYS }, () => new Y.Doc());
  return { heal: await phase(docs, BACKLOG), cold: await phase(docs, NEWS) };
}

async function phase(docs: readonly Y.Doc[], eventsCount: number): Promise<Healed> {
  for (const doc of docs) {
    for (let count = 0; count < eventsCount; count++) eventsOf(doc).push([new Uint8Array(EVENT_BYTES).fill(120)]);
  }
  const allCount =
    docs.reduce((sum, doc) => sum + eventsOf(doc).length, 0) - (docs.length - 1) * commonCount(docs, eventsCount);
  const servers = await Promise.all(docs.map(listen));
  const sockets: Socket[] = [];
  const healed = await timeHeal(
    () => {
      for (const [index, doc] of docs.entries()) {
        for (const server of servers.slice(index + 1)) {
          const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
          sockets.push(socket);
          exchange(doc, socket);
        }
      }
    },
    () => docs.every((doc) => eventsOf(doc).length === allCount),
  );
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  return healed;
}

/** What all had before this phase. */
const commonCount = ([first]: readonly Y.Doc[], eventsCount: number): number =>
  first === undefined ? 0 : eventsOf(first).length - eventsCount;

function listen(doc: Y.Doc): Promise<Server> {
  const server = createServer((socket) => exchange(doc, socket));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Each says what it has, and is sent the rest. A frame: length of the rest (4 bytes), kind, bytes. */
function exchange(doc: Y.Doc, socket: Socket): void {
  let unread = Buffer.alloc(0);
  const send = (kind: (typeof KINDS)[number], bytes: Uint8Array) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length);
    head[4] = KINDS.indexOf(kind);
    socket.write(head);
    socket.write(bytes);
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    unread = Buffer.concat([unread, data]);
    while (unread.length >= 5 && unread.length >= 5 + unread.readUInt32BE()) {
      const end = 5 + unread.readUInt32BE();
      const bytes = unread.subarray(5, end);
      if (KINDS[unread[4] ?? 0] === 'vector') send('update', Y.encodeStateAsUpdate(doc, bytes));
      else Y.applyUpdate(doc, bytes);
      unread = unread.subarray(end);
    }
  });
  send('vector', Y.encodeStateVector(doc));
}
