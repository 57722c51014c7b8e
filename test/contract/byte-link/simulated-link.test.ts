import { SeededRandom, SerialLine, SimulatedByteLink, VirtualClock } from '@sparc/simulator/world';
import { byteLinkContract } from './byte-link-contract.js';

const clock = new VirtualClock();

byteLinkContract(
  'simulated link',
  async () => {
    const line = new SerialLine(clock, new SeededRandom(1));
    const link = new SimulatedByteLink(clock, line, 'simulated line', 9_600);
    let received: number[] = [];
    const far = line.attach('far end', 9_600, (bytes) => received.push(...bytes));
    return {
      link,
      received: () => Uint8Array.from(received),
      send: (bytes) => {
        far.baudRate = link.baudRate;
        far.transmit(bytes);
      },
      cut: async () => link.unplug(),
      restore: async () => link.plugIn(),
      dispose: async () => {
        received = [];
      },
    };
  },
  {
    until: async (what, condition) => {
      if (!(await clock.runUntil(condition, 10_000))) throw new Error(`not within 10 s: ${what}`);
    },
  },
);
