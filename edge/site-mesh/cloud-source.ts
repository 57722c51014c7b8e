import type { MeshNetwork } from '@sparc/protocol/ports';
import { MeshRequest } from '@sparc/protocol/replication';
import type { CloudParts } from '../uplink/index.js';
import { tapped } from './tapped-network.js';

/** The cloud, among those who are asked for parts of the policy. No neighbour has this name. */
export const CLOUD = 'cloud';

/** A network on which the cloud is asked for parts as neighbours are. `parts`: there, while it is among them. */
export const withCloud = (network: MeshNetwork, parts: () => CloudParts | undefined): MeshNetwork => ({
  ...tapped(network, {}),
  request: (neighbour, request) => {
    const cloud = neighbour === CLOUD ? parts() : undefined;
    return cloud?.ask(MeshRequest.decode(request).parts?.hashes ?? []) ?? network.request(neighbour, request);
  },
  // What it brought and was not asked for is passed over.
  refuse: (neighbour, why) => {
    if (neighbour !== CLOUD) network.refuse(neighbour, why);
  },
});
