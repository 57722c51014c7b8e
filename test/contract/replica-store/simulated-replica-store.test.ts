import { ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { replicaStoreContract } from './replica-store-contract.js';

replicaStoreContract('SimulatedReplicaStore', async () => {
  const disk = new ReplicaDisk();
  return {
    open: () => new SimulatedReplicaStore(disk),
    refuse: (refusing) => {
      disk.refuses = refusing;
    },
    remove: async () => undefined,
  };
});
