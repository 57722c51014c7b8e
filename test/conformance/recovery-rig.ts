import { setTimeout as sleep } from 'node:timers/promises';
import { OsdpFieldBus } from '@sparc/firmware-bridges/osdp';
import { SeededRandom } from '@sparc/simulator/world';
import { FieldWitness } from '../support/field-witness.js';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { FaultyLink, type SeenFrame } from './faulty-link.js';
import type { LibosdpLine, Medium } from './libosdp-line.js';
import type { Reader } from './libosdp-readers.js';

/** An unlock that waits longer than this has failed. */
const TTL_MS = 2_000;
const QUIET_MS = 100;
/** A session that is lost twice within this time is taken for an attack, and the third handshake waits. */
const STABLE_SESSION_MS = 8_000;

export interface Recovery {
  /** From the accident until an unlock of that device is acknowledged. */
  readonly recoveryMs: number;
  /** Longest time between two answers of any other device meanwhile. */
  readonly neighbourMs: number;
  readonly alarms: readonly string[];
}

/** Our bus and libosdp PDs on a line on which single frames meet with accidents. */
export class RecoveryRig {
  readonly link: FaultyLink;
  readonly witness = new FieldWitness();
  readonly #field: OsdpFieldBus;
  readonly #answers: SeenFrame[] = [];
  /** From when on a device may lose its session again, by its place. */
  readonly #restedAtMs: number[];

  private constructor(
    readonly line: LibosdpLine,
    private readonly readers: readonly Reader[],
  ) {
    this.link = new FaultyLink(line.link);
    this.link.onFrame = (frame) => void (frame.reply && this.#answers.push(frame));
    this.#restedAtMs = readers.map(() => 0);
    this.#field = new OsdpFieldBus(
      { clock: systemClock, random: new SeededRandom(1) },
      { buses: [{ busId: 'bus', link: this.link, devices: readers.map(({ plan }) => plan) }] },
    );
  }

  static async create(medium: Medium, readers: readonly Reader[]): Promise<RecoveryRig> {
    const line = await medium.open(
      'pd',
      readers.map(({ libosdp }) => libosdp),
    );
    const rig = new RecoveryRig(line, readers);
    rig.#field.start(rig.witness);
    return rig;
  }

  async remove(): Promise<void> {
    await this.#field.stop();
    await this.line.remove();
  }

  async online(): Promise<void> {
    await eventually('all are online', () =>
      this.readers.every(({ plan }) => {
        const status = this.witness.device(plan.deviceId);
        return status?.link === 'online' && status.secure;
      }),
    );
  }

  /** Lets something happen to the device that has been at peace longest. `happen` resolves with its instant. */
  async measure(happen: (address: number, index: number) => Promise<number>): Promise<Recovery> {
    const index = this.#restedAtMs.indexOf(Math.min(...this.#restedAtMs));
    const target = this.readers[index];
    if (target === undefined) throw new RangeError('a line without readers');
    await sleep(Math.max(0, (this.#restedAtMs[index] ?? 0) - performance.now()));
    await this.online();
    const alarmsBefore = this.witness.alarms.length;
    const happenedMs = await happen(target.plan.address, index);
    const backMs = await this.#unlockedAtMs(target.plan.deviceId);
    await sleep(QUIET_MS);
    const alarms = this.witness.alarms.slice(alarmsBefore);
    for (const { code, deviceId } of alarms) {
      if (code !== 'ERR_OSDP_SECURE_LOST') continue;
      const place = this.readers.findIndex(({ plan }) => plan.deviceId === deviceId);
      this.#restedAtMs[place] = performance.now() + STABLE_SESSION_MS;
    }
    const neighbours = this.readers.filter((reader) => reader !== target);
    return {
      recoveryMs: backMs - happenedMs,
      neighbourMs: Math.max(...neighbours.map(({ plan }) => this.#silenceMs(plan.address, happenedMs))),
      alarms: [...new Set(alarms.map(({ code }) => code))],
    };
  }

  /** Until an unlock is acknowledged again, as a person at the door sees it. */
  async #unlockedAtMs(deviceId: string): Promise<number> {
    for (;;) {
      const action = { kind: 'onFor', durationMs: 100 } as const;
      const outcome = await this.#field.setOutput({ deviceId, outputNumber: 0, action, ttlMs: TTL_MS });
      if (outcome.kind === 'acknowledged') return performance.now();
      await sleep(5);
    }
  }

  #silenceMs(address: number, sinceMs: number): number {
    const instants = this.#answers.filter((frame) => frame.address === address).map(({ atMs }) => atMs);
    return Math.max(
      performance.now() - (instants.at(-1) ?? 0),
      ...instants.map((atMs, index) => (atMs > sinceMs ? atMs - (instants[index - 1] ?? atMs) : 0)),
    );
  }
}
