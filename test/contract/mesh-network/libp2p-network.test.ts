import { setTimeout as sleep } from 'node:timers/promises';
import type { Libp2pNetwork } from '@sparc/edge/mesh';
import { CLOCK_AHEAD_MS, fasterClock, MeshSite } from '../../support/mesh-site.js';
import { eventually } from '../../support/peers.js';
import { meshNetworkContract } from './mesh-network-contract.js';

/** Waits of many seconds would make the suite long. */
const FASTER = 5;

meshNetworkContract('libp2p over TCP', async () => {
  const clock = fasterClock(FASTER);
  const site = await MeshSite.create(3, clock);
  const [a, b, c] = site.members;
  if (a === undefined || b === undefined || c === undefined) throw new Error('three members');
  for (const [from, to] of [
    [a, b],
    [a, c],
    [b, c],
  ] as const) {
    await site.cable(from, to);
  }
  const memberAt = (index: number) => site.members[index] ?? a;
  const running = new Map<number, Libp2pNetwork>();
  return {
    keys: site.members.map(({ key }) => key),
    boot: async (index) => {
      const member = memberAt(index);
      for (const other of site.members) for (const cable of site.cables(member, other)) cable.orphan();
      await running.get(index)?.stop();
      const network = site.network(member);
      running.set(index, network);
      return network;
    },
    times: (index) => running.get(index)?.times() ?? [],
    clockAheadMs: CLOCK_AHEAD_MS,
    cut: (from, to) => {
      const cables = site.cables(memberAt(from), memberAt(to));
      for (const cable of cables) cable.setCut(true);
      return () => cables.forEach((cable) => cable.setCut(false));
    },
    until: eventually,
    pass: (durationMs) => sleep(durationMs / FASTER).then(() => undefined),
    nowMs: () => clock.monotonicMs(),
    dispose: () => site.close(),
  };
});
