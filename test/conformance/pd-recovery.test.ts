import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually } from '../support/peers.js';
import { FaultyLink, LINE_FAULTS } from './faulty-link.js';
import { MEDIA } from './libosdp-line.js';
import { hex, LIBOSDP, type LibosdpDeviceConfig } from './libosdp-peer.js';
import { key } from './libosdp-readers.js';
import { OurPds } from './our-pds.js';

const COUNT = 8;
/** libosdp repeats a frame after 1 s; then it gives a device up for 300 s, unless it is told to try again. */
const BY_ITSELF_MS = 1_500;
const RECOVERY_MAX_MS = 1_000;

const ADDRESSES = Array.from({ length: COUNT }, (_, index) => index + 1);
const ACU: readonly LibosdpDeviceConfig[] = ADDRESSES.map((address) => ({
  address,
  flags: [LIBOSDP.flag.enforceSecure],
  scbk: hex(key(address)),
}));

t.jobs = MEDIA.length;
for (const medium of MEDIA) {
  t.test(`8 of our PDs and a libosdp ACU ${medium.name}`, { skip: medium.skip, buffered: true }, async (t) => {
    const { link: inner, peer, remove } = await medium.open('acu', ACU);
    const link = new FaultyLink(inner);
    const pds = new OurPds(
      link,
      ADDRESSES.map((address) => ({ address, scbk: key(address) })),
    );
    t.teardown(async () => {
      await pds.stop();
      await remove();
    });
    const isUp = (index: number) => peer.device(index).session.secure && pds.pd(index).secure;

    await t.test('a secure multi-drop line of 8 comes up', async (t) => {
      await eventually('all are up', () => ADDRESSES.every((_, index) => isUp(index)));
      t.pass();
    });

    /** A light is switched: the first command that libosdp sends after what has happened. */
    const obeys = async (index: number): Promise<void> => {
      const before = pds.pd(index).doings.length;
      await peer.submit(
        { command: LIBOSDP.command.buzzer, reader: 0, control_code: 2, on_count: 1, off_count: 1, rep_count: 1 },
        index,
      );
      await eventually('our PD obeys', () =>
        pds
          .pd(index)
          .doings.slice(before)
          .some(({ kind }) => kind === 'buzzer'),
      );
    };
    const settle = async (index: number, sinceMs: number): Promise<string> => {
      const endMs = sinceMs + BY_ITSELF_MS;
      // What libosdp makes of the fault shows after its repeat.
      let lost = false;
      while (performance.now() < endMs && !lost) {
        await sleep(5);
        lost = !peer.device(index).session.online;
      }
      if (!lost) return 'libosdp keeps the session';
      const toldMs = performance.now();
      await peer.request({ do: 'restart' }, index);
      await eventually('our PD is back', () => isUp(index));
      const backMs = performance.now() - toldMs;
      t.ok(backMs < RECOVERY_MAX_MS, `back ${backMs.toFixed(0)} ms after libosdp is told to try again`);
      return `libosdp gives up for 300 s after ${(toldMs - sinceMs).toFixed(0)} ms; told to try again, it has a session in ${backMs.toFixed(0)} ms`;
    };

    await t.test('after anything that may happen to a frame our PD opens a session at the first attempt', async (t) => {
      for (let begin = 0; begin < LINE_FAULTS.length; begin += COUNT) {
        const batch = LINE_FAULTS.slice(begin, begin + COUNT);
        const settling: Promise<string>[] = [];
        for (const [index, fault] of batch.entries()) settling.push(settle(index, await link.arm(index + 1, fault)));
        for (const [index, told] of (await Promise.all(settling)).entries()) {
          await obeys(index);
          const name = batch[index]?.name ?? '';
          t.comment(`${name.padEnd(22)} ${told}`);
          t.ok(isUp(index), name);
        }
      }
    });

    await t.test('a PD that was reset opens a session at the first attempt', async (t) => {
      const happenedMs = performance.now();
      pds.pd(0).reset();
      t.comment(`${'reset'.padEnd(22)} ${await settle(0, happenedMs)}`);
      await obeys(0);
      t.ok(isUp(0));
    });
  });
}
