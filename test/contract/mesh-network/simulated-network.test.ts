import { SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { meshNetworkContract } from './mesh-network-contract.js';

const CLOCK_AHEAD_MS = 1_700_000_000_000;
const WITHIN_MS = 120_000;

meshNetworkContract('a simulated mesh', async () => {
  const clock = new VirtualClock();
  const mesh = new SimulatedMesh(clock, new SeededRandom('mesh contract'));
  const keys = ['11', '22', '33'].map((byte) => byte.repeat(32));
  return {
    keys,
    boot: async (index) => {
      const program = mesh.join(`machine ${index}`, keys[index] ?? '');
      program.time = () => ({ unixMs: clock.monotonicMs() + CLOCK_AHEAD_MS, quality: 'synced' });
      return program;
    },
    times: (index) => mesh.programOn(`machine ${index}`)?.times(clock.monotonicMs()) ?? [],
    clockAheadMs: CLOCK_AHEAD_MS,
    cut: (a, b) => mesh.cut(`machine ${a}`, `machine ${b}`),
    until: async (what, condition) => {
      if (!(await clock.runUntil(condition, WITHIN_MS))) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    },
    pass: (durationMs) => clock.advance(durationMs),
    nowMs: () => clock.monotonicMs(),
    dispose: async () => undefined,
  };
});
