/**
 * The first gateway of a site, in a process that is killed. Arguments: folder, ports of all gateways. It records without
 * end and tells, as soon as it knows, up to where another gateway has its ledger on disk.
 */
import { MeshNode } from '../support/mesh-node.js';
import { MeshSite } from '../support/mesh-site.js';

const [folder = '', ports = ''] = process.argv.slice(2);
const numbers = ports.split(',').map(Number);
const site = await MeshSite.create(numbers.length, undefined, numbers);
const [member] = site.members;
if (member === undefined) throw new Error('a site without gateways');
const node = await MeshNode.start(site, member, folder);
process.on('disconnect', () => process.exit());

for (let toldSequence = 0; ;) {
  await node.record({ name: 'door.opened', doorId: 'front' });
  const heads = [...node.replicator.state.neighbours.values()].flatMap(({ tips }) => tips.get(node.key) ?? []);
  const held = Math.max(0, ...heads.map(({ sequence }) => sequence));
  if (held > toldSequence) process.send?.(held);
  toldSequence = Math.max(toldSequence, held);
  // The network has its turn.
  await new Promise((resolve) => setTimeout(resolve, 1));
}
