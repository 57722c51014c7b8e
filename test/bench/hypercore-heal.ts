import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import Hypercore from 'hypercore';
import { BACKLOG, EVENT_BYTES, GATEWAYS, NEWS, timeHeal, type HealRun, type Healed } from './heal.js';
import { RESULTS_FOLDER } from './machine.js';

const APPENDED_AT_ONCE = 256;
const names = Array.from({ length: GATEWAYS }, (_, index) => index);

/** Cores of one gateway: its own, and replicas of the others'. */
type Node = readonly Hypercore[];

/** Hypercore, signed and on disk, on the same task: one core a gateway, each downloads those of the others. */
export async function runHypercore(): Promise<HealRun> {
  const folder = mkdtempSync(join(RESULTS_FOLDER, 'hypercore-'));
  try {
    return { heal: await phase(folder, BACKLOG), cold: await phase(folder, NEWS) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All open what is on their disks, write so many events, and then hear of each other. */
async function phase(folder: string, eventsCount: number): Promise<Healed> {
  const own = await Promise.all(names.map((name) => open(join(folder, `own-${name}`))));
  for (const core of own) {
    for (let left = eventsCount; left > 0; left -= APPENDED_AT_ONCE) {
      await core.append(Array.from({ length: Math.min(APPENDED_AT_ONCE, left) }, () => Buffer.alloc(EVENT_BYTES, 'x')));
    }
  }
  const nodes: Node[] = [];
  for (const name of names) {
    const replica = async (of: number, core: Hypercore) => open(join(folder, `${name}-of-${of}`), core.key);
    nodes.push(await Promise.all(own.map(async (core, of) => (of === name ? core : replica(of, core)))));
  }
  const servers = await Promise.all(nodes.map(listen));
  const sockets: Socket[] = [];
  const healed = await timeHeal(
    () => {
      for (const [index, node] of nodes.entries()) {
        for (const server of servers.slice(index + 1)) {
          const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
          sockets.push(socket);
          replicate(node, socket, true);
        }
        for (const [of, core] of node.entries()) core.download({ start: 0, end: own[of]?.length ?? 0 });
      }
    },
    () => nodes.every((node) => node.every((core, of) => core.contiguousLength === own[of]?.length)),
  );
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await Promise.all(nodes.flat().map((core) => core.close()));
  return healed;
}

async function open(folder: string, key?: Uint8Array): Promise<Hypercore> {
  const core = new Hypercore(folder, key);
  await core.ready();
  return core;
}

function listen(node: Node): Promise<Server> {
  const server = createServer((socket) => replicate(node, socket, false));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function replicate([first, ...others]: Node, socket: Socket, isCaller: boolean): void {
  const stream = first?.replicate(isCaller);
  if (stream === undefined) return;
  for (const core of others) core.replicate(stream);
  // Both end when the bench closes the connection.
  stream.on('error', () => socket.destroy());
  socket.on('error', () => stream.destroy());
  stream.pipe(socket).pipe(stream);
}
