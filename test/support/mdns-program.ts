import { MeshSite } from './mesh-site.js';
import { MeshWitness } from './mesh-witness.js';
import { eventually } from './peers.js';

// Two gateways that know each other's keys and no address. Ends well once they have met.
const site = await MeshSite.create(2);
const members = () => site.members.map(({ key }) => ({ key, addresses: [] }));
const all = site.members.map((member) => {
  const listen = { host: '0.0.0.0', port: member.port };
  return { network: site.network(member, { discover: true, listen }, { members }), witness: new MeshWitness() };
});
for (const { network, witness } of all) await network.start(witness);
await eventually('they have met', () => all.every(({ witness }) => witness.here.size === 1), 30_000);
await site.close();
console.log('they have met');
