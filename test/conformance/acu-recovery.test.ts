import t from 'tap';
import { LINE_FAULTS } from './faulty-link.js';
import { MEDIA } from './libosdp-line.js';
import { readers } from './libosdp-readers.js';
import { RecoveryRig } from './recovery-rig.js';

const RECOVERY_MAX_MS = 1_000;
/** A neighbour waits as long as an answer does not come (200 ms), at most twice between two turns of its own. */
const NEIGHBOUR_SILENCE_MAX_MS = 600;

t.jobs = MEDIA.length;
for (const medium of MEDIA) {
  t.test(`our ACU and 8 libosdp PDs ${medium.name}`, { skip: medium.skip, buffered: true }, async (t) => {
    const rig = await RecoveryRig.create(medium, readers(8));
    t.teardown(() => rig.remove());
    await rig.online();
    const measure = async (name: string, happen: (address: number, index: number) => Promise<number>) => {
      const recovery = await rig.measure(happen);
      const [recoveryMs, neighbourMs] = [recovery.recoveryMs, recovery.neighbourMs].map(Math.round);
      t.comment(
        `${name.padEnd(22)} unlocks again after ${recoveryMs} ms, ` +
          `neighbours silent for at most ${neighbourMs} ms ${recovery.alarms.join(' ')}`,
      );
      return recovery;
    };

    await t.test('a device that is reset is back in less than a second', async (t) => {
      const { recoveryMs } = await measure('reset', async (_, index) => {
        await rig.line.peer.request({ do: 'reset' }, index);
        return performance.now();
      });
      t.ok(recoveryMs < RECOVERY_MAX_MS, `${recoveryMs.toFixed(0)} ms`);
    });

    await t.test('what happens to one frame costs its device less than a second', async (t) => {
      await measure('nothing', async () => performance.now());
      for (const fault of LINE_FAULTS) {
        const { recoveryMs, neighbourMs } = await measure(fault.name, (address) => rig.link.arm(address, fault));
        t.ok(recoveryMs < RECOVERY_MAX_MS, `${fault.name}: ${recoveryMs.toFixed(0)} ms`);
        t.ok(neighbourMs < NEIGHBOUR_SILENCE_MAX_MS, `${fault.name}, its neighbours: ${neighbourMs.toFixed(0)} ms`);
      }
    });
  });
}
