import type { Carrier, Up } from '@sparc/protocol/cloud-link';
import { UP } from '@sparc/protocol/cloud-link';
import { SimulatedBroker } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { cloudLinkContract } from './cloud-link-contract.js';

const WITHIN_MS = 120_000;

cloudLinkContract('a simulated link', async () => {
  const clock = new VirtualClock();
  const broker = new SimulatedBroker(clock, new SeededRandom('cloud link contract'));
  const carrier: Carrier = {
    tenant: '00000000-0000-0000-0000-000000000001',
    site: 'harbour',
    gateway: '11'.repeat(32),
  };
  const cloud = broker.join('cloud');
  const heard: { what: Up; body: Uint8Array }[] = [];
  for (const what of UP) await cloud.hear(what, (_carrier, body) => heard.push({ what, body }));
  return {
    link: broker.link('machine', carrier),
    another: () => broker.link('machine', carrier),
    heard,
    say: (what, body) => void cloud.say(carrier, what, body),
    cut: () => broker.stop(),
    until: async (what, condition) => {
      if (!(await clock.runUntil(condition, WITHIN_MS))) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    },
    dispose: async () => undefined,
  };
});
