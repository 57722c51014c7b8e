import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually } from '../support/peers.js';
import { COMMAND_CORRUPTED, FaultyLink, LINE_FAULTS, type SeenFrame } from './faulty-link.js';
import { MEDIA } from './libosdp-line.js';
import { hex, LIBOSDP, type LibosdpDeviceConfig, type LibosdpRecord } from './libosdp-peer.js';
import { key } from './libosdp-readers.js';
import { OurPds } from './our-pds.js';

const COUNT = 8;
/** libosdp repeats a frame after 1 s; then it gives a device up for 300 s, unless it is told to try again. */
const BY_ITSELF_MS = 1_250;
const ATTEMPT_MS = 3_000;
const ATTEMPTS_MAX = 3;
/** From the first command of a new attempt to its session. */
const SESSION_MAX_MS = 1_000;
const CHLNG = 0x76;
/** Behind SOM, address, length, control and the three bytes of SCS_11. */
const CHLNG_INDEX = 8;

const BUZZER: LibosdpRecord = {
  command: LIBOSDP.command.buzzer,
  reader: 0,
  control_code: 2,
  on_count: 1,
  off_count: 1,
  rep_count: 1,
};
const ADDRESSES = Array.from({ length: COUNT }, (_, index) => index + 1);
const ACU: readonly LibosdpDeviceConfig[] = ADDRESSES.map((address) => ({
  address,
  flags: [LIBOSDP.flag.enforceSecure],
  scbk: hex(key(address)),
}));

interface Settled {
  readonly told: string;
  /** Only where libosdp had given the device up. */
  readonly backMs?: number;
  readonly challengesCount?: number;
}

interface Judge {
  comment(text: string): void;
  ok(value: boolean, name: string): void;
  equal(value: unknown, expected: unknown, name: string): void;
}

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
    const commands: SeenFrame[] = [];
    link.onFrame = (frame) => void (!frame.reply && commands.push(frame));
    const isUp = (index: number) => peer.device(index).session.secure && pds.pd(index).secure;

    await t.test('a secure multi-drop line of 8 comes up', async (t) => {
      await eventually('all are up', () => ADDRESSES.every((_, index) => isUp(index)));
      t.pass();
    });

    /** The commands of libosdp's first attempt that is not spoilt by its own timeout, as on a busy machine. */
    const tryAgain = async (index: number): Promise<readonly SeenFrame[]> => {
      for (let attempts = 1; ; attempts++) {
        const seenBefore = commands.length;
        await peer.request({ do: 'restart' }, index);
        try {
          await eventually('our PD is back', () => isUp(index), ATTEMPT_MS);
          return commands.slice(seenBefore).filter(({ address }) => address === index + 1);
        } catch (error) {
          if (attempts === ATTEMPTS_MAX) throw error;
        }
      }
    };
    /** The buzzer sounds: a command that libosdp sends after what has happened. */
    const obeys = async (index: number): Promise<boolean> => {
      for (let attempts = 1; ; attempts++) {
        if (!isUp(index)) await tryAgain(index);
        const before = pds.pd(index).doings.length;
        const sounds = () =>
          pds
            .pd(index)
            .doings.slice(before)
            .some(({ kind }) => kind === 'buzzer');
        try {
          await peer.submit(BUZZER, index);
          await eventually('our PD obeys', () => sounds() || !isUp(index), ATTEMPT_MS);
          if (sounds()) return true;
        } catch (error) {
          if (attempts === ATTEMPTS_MAX) throw error;
        }
        if (attempts === ATTEMPTS_MAX) return false;
      }
    };
    /** What libosdp makes of the fault shows after its repeat; a device that it gives up it is told to try again. */
    const settle = async (index: number, happenedMs: number): Promise<Settled> => {
      let lastMs = happenedMs;
      while (peer.device(index).session.online) {
        if (!link.idle) lastMs = performance.now();
        if (performance.now() > lastMs + BY_ITSELF_MS) return { told: 'libosdp keeps the session' };
        await sleep(5);
      }
      const givenUpMs = performance.now() - happenedMs;
      const attempt = await tryAgain(index);
      const backMs = performance.now() - (attempt[0]?.atMs ?? NaN);
      return {
        told: `libosdp gives up for 300 s after ${givenUpMs.toFixed(0)} ms; at its next attempt it has a session in ${backMs.toFixed(0)} ms`,
        backMs,
        challengesCount: attempt.filter(({ bytes }) => bytes[CHLNG_INDEX] === CHLNG).length,
      };
    };
    const judge = async (t: Judge, name: string, index: number, settled: Settled): Promise<void> => {
      t.comment(`${name.padEnd(22)} ${settled.told}`);
      if (settled.backMs !== undefined) {
        t.ok(settled.backMs < SESSION_MAX_MS, `${name}: ${settled.backMs.toFixed(0)} ms`);
        t.equal(settled.challengesCount, 1, `${name}: one handshake`);
      }
      t.ok(await obeys(index), name);
    };

    await t.test('after anything that may happen to a frame our PD opens a session at the first attempt', async (t) => {
      for (const [round, fault] of [...LINE_FAULTS, COMMAND_CORRUPTED].entries()) {
        const index = round % COUNT;
        // libosdp gives devices up without any fault where the machine is busy.
        if (!isUp(index)) await tryAgain(index);
        await judge(t, fault.name, index, await settle(index, await link.arm(index + 1, fault)));
      }
    });

    await t.test('a PD that was reset opens a session at the first attempt', async (t) => {
      const happenedMs = performance.now();
      pds.pd(0).reset();
      await judge(t, 'reset', 0, await settle(0, happenedMs));
    });
  });
}
