/**
 * Some of the gateways of a site, in a process of their own. Arguments: folder, ports of all gateways, indexes of those
 * that run here. Says when all are linked, writes when it is told to, and then tells when what was where.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MeshNode } from '../support/mesh-node.js';
import { MeshSite } from '../support/mesh-site.js';

export interface WriteOrder {
  readonly durationMs: number;
  /** From one entry of a gateway to its next. */
  readonly intervalMs: number;
}

/** By the monotonic clock of the machine, which all its processes share. */
export interface SpreadReport {
  /** When whoever wanted an entry recorded asked for it. */
  readonly written: readonly { readonly author: string; readonly sequence: number; readonly atMs: number }[];
  /** By gateway: up to where it had which log on disk, and since when; in order. */
  readonly stored: Readonly<
    Record<string, readonly { readonly author: string; readonly sequence: number; readonly atMs: number }[]>
  >;
}

const POLL_MS = 50;
const record = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(149) } } as const;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const [folder = '', ports = '', indexes = ''] = process.argv.slice(2);
const numbers = (list: string) => list.split(',').map(Number);
const site = await MeshSite.create(numbers(ports).length, undefined, numbers(ports));
const nodes: MeshNode[] = [];
const stored: Record<string, { author: string; sequence: number; atMs: number }[]> = {};

for (const index of numbers(indexes)) {
  const member = site.members[index];
  if (member === undefined) throw new Error(`no gateway ${index}`);
  const own = join(folder, String(index));
  mkdirSync(own);
  const seen: { author: string; sequence: number; atMs: number }[] = [];
  stored[member.key] = seen;
  const onStored = (author: string, sequence: number) => seen.push({ author, sequence, atMs: nowMs() });
  nodes.push(await MeshNode.start(site, member, own, { onStored }));
}

process.on('disconnect', () => process.exit());
process.on('message', (order: WriteOrder) => void write(order));

while (!nodes.every(({ neighboursCount }) => neighboursCount === site.members.length - 1)) await wait(POLL_MS);
process.send?.('linked');

async function write({ durationMs, intervalMs }: WriteOrder): Promise<void> {
  const written = await Promise.all(nodes.map((node, at) => writeOf(node, durationMs, intervalMs, at / nodes.length)));
  // So that what is on its way arrives.
  await wait(3_000);
  const report: SpreadReport = { written: written.flat(), stored };
  process.send?.(report, () => process.disconnect());
}

async function writeOf(node: MeshNode, durationMs: number, intervalMs: number, phase: number) {
  const written: { author: string; sequence: number; atMs: number }[] = [];
  await wait(phase * intervalMs);
  const endMs = nowMs() + durationMs;
  for (let dueMs = nowMs(); dueMs < endMs; dueMs += intervalMs) {
    await wait(Math.max(0, dueMs - nowMs()));
    const atMs = nowMs();
    const { id } = await node.record(record);
    written.push({ author: node.key, sequence: id.sequence, atMs });
  }
  return written;
}
