import t from 'tap';
import { impatient, SAY_WITHIN_MS, type CloudBus } from '@sparc/cloud-sync/broker';
import { VirtualClock } from '@sparc/simulator/world';

const carrier = { tenant: 'port', site: 'harbour', gateway: 'ab'.repeat(32) };

t.test('a gateway that does not read keeps whoever speaks to it waiting for a while and no longer', async (t) => {
  const clock = new VirtualClock();
  const taken: (() => void)[] = [];
  const bus: CloudBus = {
    hear: () => Promise.resolve(),
    say: () => new Promise((resolve) => taken.push(resolve)),
  };
  const said = impatient(clock, bus).say(carrier, 'ack', Uint8Array.of(1));
  taken[0]?.();
  await said;
  t.equal(clock.nextTimerAtMs(), undefined, 'nothing is left of one who reads');

  const waits = impatient(clock, bus).say(carrier, 'part', Uint8Array.of(1));
  const refused = t.rejects(waits, { code: 'ERR_LINK_UNREAD' });
  await clock.advance(SAY_WITHIN_MS);
  await refused;
});
