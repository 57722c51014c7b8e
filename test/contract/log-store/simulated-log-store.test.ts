import { SimulatedLogStore } from '@sparc/simulator/site';
import { HEALTHY_DISK, SeededRandom, SimulatedDisk, VirtualClock } from '@sparc/simulator/world';
import type { LogCommit, LogStore } from '@sparc/protocol/ports';
import { logStoreContract } from './log-store-contract.js';

logStoreContract('SimulatedLogStore', async () => {
  const clock = new VirtualClock();
  const disk = new SimulatedDisk<LogCommit>(clock, new SeededRandom(1));
  // The disk takes its time; here nobody has to wait for it.
  const hurried = (store: LogStore): LogStore => ({
    tail: () => store.tail(),
    entries: (after, limit) => store.entries(after, limit),
    commit: async (commit) => {
      const committed = store.commit(commit);
      committed.catch(() => undefined);
      await clock.advance(10);
      return committed;
    },
    rest: () => store.rest(),
    close: () => store.close(),
  });
  return {
    open: async () => hurried(new SimulatedLogStore(disk)),
    refuse: (refusing) => {
      disk.behaviour = { ...HEALTHY_DISK, failRate: refusing ? 1 : 0 };
    },
    remove: async () => undefined,
  };
});
