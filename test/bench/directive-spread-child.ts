/**
 * Some of the gateways of a site, in a process of their own. Arguments: folder, ports of all gateways, indexes of those
 * that run here, milliseconds from one event of a gateway to its next. Says when all are linked, gives what it is told to
 * give, and tells of every directive that one of its gateways has carried out and recorded.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { neighboursOf } from '@sparc/edge/mesh';
import type { SignedDirective } from '@sparc/protocol/directive';
import { DirectedNode } from '../support/directed-node.js';
import { MeshSite } from '../support/mesh-site.js';

/** Where to give what. */
export interface GiveOrder {
  readonly gateway: number;
  readonly signed: SignedDirective;
}

/** By the monotonic clock of the machine, which all its processes share. */
export type Told =
  | { readonly kind: 'linked' }
  | { readonly kind: 'given'; readonly atMs: number }
  | { readonly kind: 'recorded'; readonly gateway: number; readonly directive: string; readonly atMs: number };

const POLL_MS = 50;
const background = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(149) } } as const;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const tell = (told: Told) => process.send?.(told);

const [folder = '', ports = '', indexes = '', intervalText = ''] = process.argv.slice(2);
const numbers = (list: string) => list.split(',').map(Number);
const site = await MeshSite.create(numbers(ports).length, undefined, numbers(ports));
const nodes = new Map<number, DirectedNode>();

for (const gateway of numbers(indexes)) {
  const member = site.members[gateway];
  if (member === undefined) throw new Error(`no gateway ${gateway}`);
  const own = join(folder, String(gateway));
  mkdirSync(own);
  const node = await DirectedNode.start(site, member, own, ({ record: { name, detail } }) => {
    const directive = detail?.['directive'];
    if (directive === undefined || name === 'directive.given') return;
    if (name === 'directive.refused') throw new Error(detail?.['why']);
    tell({ kind: 'recorded', gateway, directive, atMs: nowMs() });
  });
  nodes.set(gateway, node);
}

process.on('disconnect', () => process.exit());
process.on('message', ({ gateway, signed }: GiveOrder) => {
  tell({ kind: 'given', atMs: nowMs() });
  void nodes.get(gateway)?.field.direct(signed);
});

const neighboursCount = neighboursOf(
  site.members[0]?.key ?? '',
  site.members.map(({ key }) => key),
).length;
while (![...nodes.values()].every(({ mesh }) => mesh.neighboursCount === neighboursCount)) await wait(POLL_MS);
tell({ kind: 'linked' });
for (const [gateway, { mesh }] of nodes) void recordOn(mesh, Number(intervalText), gateway / site.members.length);

/** Until the process ends. */
async function recordOn(mesh: DirectedNode['mesh'], intervalMs: number, phase: number): Promise<never> {
  await wait(phase * intervalMs);
  for (let dueMs = nowMs(); ; dueMs += intervalMs) {
    await wait(Math.max(0, dueMs - nowMs()));
    await mesh.record(background);
  }
}
