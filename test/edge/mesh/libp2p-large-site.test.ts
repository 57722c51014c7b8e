import t from 'tap';
import { createNodeClock } from '@sparc/edge/platform';
import type { Libp2pNetwork } from '@sparc/edge/mesh';
import { MeshSite } from '../../support/mesh-site.js';
import { eventually } from '../../support/peers.js';
import { GatewayInMesh, keyOf, opened } from '../replica/gateway-in-mesh.js';

const WITHIN_MS = 90_000;
/** Two on both sides in the ring, and three across it. */
const LINKS_COUNT = 7;
/** More than are all linked with each other. `npm run soak` has a full site: here they share a CPU. */
const MEMBERS_COUNT = Number(process.env['MESH_MEMBERS'] ?? 20);
const AUTHORS_EVERY = 4;

t.test(
  'a large site is linked in a ring with chords: ledgers reach all, and a lost gateway holds nothing up',
  async (t) => {
    const clock = createNodeClock();
    const site = await MeshSite.create(MEMBERS_COUNT, clock);
    const all = site.members.map((member) => {
      const network = site.network(member);
      const number = member.seed[0] ?? 0;
      const gateway = new GatewayInMesh({ clock, join: () => network }, keyOf(number), number, () => true);
      return { network, gateway };
    });
    t.teardown(() => Promise.all(all.map(({ gateway }) => gateway.stop())));
    const networks = new Map<string, Libp2pNetwork>(all.map(({ network, gateway }) => [gateway.author, network]));
    const authors = all.filter((_, index) => index % AUTHORS_EVERY === 0).map(({ gateway }) => gateway);
    for (const author of authors) author.commit(author.chain.open(1, [opened]));

    await Promise.all(all.map(({ gateway }) => gateway.start()));
    const holdsAll = ({ gateway }: (typeof all)[number]) => authors.every(({ author }) => author in gateway.holding());
    await eventually('all have all', () => all.every(holdsAll), WITHIN_MS);
    const isWhole = (links: ReadonlyMap<string, readonly unknown[]>) =>
      links.size === LINKS_COUNT && [...links.values()].every(({ length }) => length === LINKS_COUNT);
    await eventually(
      'each has said whom it hears',
      () => all.every(({ network }) => isWhole(network.links())),
      WITHIN_MS,
    );
    for (const { network } of all) {
      for (const [neighbour, heard] of network.links()) {
        t.same(heard.map(({ key }) => key).sort(), [...(networks.get(neighbour)?.links().keys() ?? [])].sort());
      }
    }

    const [first, gone, ...others] = all;
    if (first === undefined || gone === undefined) throw new Error('a large site');
    await gone.gateway.stop();
    const before = first.gateway.holding()[first.gateway.author];
    first.gateway.commit(first.gateway.chain.add(opened));
    const newest = first.gateway.holding()[first.gateway.author];
    t.not(newest?.[0], before?.[0]);
    const isThere = ({ gateway }: { readonly gateway: GatewayInMesh }) =>
      gateway.holding()[first.gateway.author]?.[0] === newest?.[0];
    await eventually('all that are left have the newest', () => others.every(isThere), WITHIN_MS);
    t.same(
      all.flatMap(({ gateway }) => gateway.failures),
      [],
    );
  },
);
