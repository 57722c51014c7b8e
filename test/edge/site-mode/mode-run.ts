import type { EventRecord } from '@sparc/protocol/events';
import type { EntryId } from '@sparc/protocol/ports';
import type { ModeClaim } from '@sparc/protocol/site-mode';
import {
  refused,
  SiteModeKeeper,
  type DirectedRaise,
  type DirectedRelease,
  type HeardClaim,
  type SiteMode,
} from '@sparc/edge/site-mode';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';

/** Public keys of gateways, in hex. */
export const NORTH = 'a1'.repeat(32);
export const SOUTH = 'b2'.repeat(32);

export const idOf = (number: number): string => number.toString(16).padStart(32, '0');

/** No two draw the same. */
let runsCount = 0;

/** A keeper of a gateway in a mesh, with what it recorded; `restart` gives the next run on the same disk. */
export class MeshRun {
  readonly clock = new VirtualClock({ startUnixMs: 1_000_000 });
  readonly records: EventRecord[] = [];
  isJournalDown = false;
  readonly keeper: SiteModeKeeper;
  #isDiskFree = Promise.resolve();
  #freeDisk: () => void = () => undefined;

  constructor(
    readonly disk: { kept: SiteMode | undefined } = { kept: undefined },
    recorded: readonly ModeClaim[] = [],
  ) {
    const { records } = this;
    this.keeper = new SiteModeKeeper({
      clock: this.clock,
      random: new SeededRandom(`mode ${runsCount++}`),
      isInMesh: true,
      store: {
        load: () => structuredClone(disk.kept),
        save: async (mode) => {
          await this.#isDiskFree;
          disk.kept = mode;
        },
      },
      record: (event) => void records.push(event),
      commit: async (event, carryOut) => {
        if (this.isJournalDown) throw refused('no disk');
        records.push(event);
        carryOut();
      },
      recorded: async () => recorded,
      obstacle: () => undefined,
      isClockKnown: () => true,
      onChange: () => undefined,
      onFailure: () => undefined,
    });
    this.keeper.start();
  }

  /** Nothing more is written until `releaseDisk`; gives the disk as it is. */
  holdDisk(): { kept: SiteMode | undefined } {
    this.#isDiskFree = new Promise((resolve) => (this.#freeDisk = resolve));
    return { kept: structuredClone(this.disk.kept) };
  }

  releaseDisk(): void {
    this.#freeDisk();
  }

  restart(): MeshRun {
    this.keeper.stop();
    return new MeshRun(this.disk);
  }

  get names(): string[] {
    return this.records.map(({ name }) => name);
  }

  get standing(): string[] {
    return this.keeper.mode.raises.map(({ id }) => id).sort();
  }
}

export const CAUSE = Promise.resolve<EntryId>({ author: SOUTH, epoch: 3, sequence: 7 });

export const raise = (number: number, more: Partial<DirectedRaise> = {}): DirectedRaise => ({
  kind: 'raise',
  directive: idOf(number),
  by: 'Ada',
  cause: CAUSE,
  what: 'lockdown',
  atUnixMs: 5,
  ...more,
});

export const release = (
  number: number,
  raises: readonly number[],
  more: Partial<DirectedRelease> = {},
): DirectedRelease => ({
  kind: 'release',
  directive: idOf(number),
  by: 'Ada',
  cause: CAUSE,
  raises: raises.map(idOf),
  ...more,
});

/** What a gateway recorded when it raised something itself. */
export const raisedAt = (
  author: string,
  sequence: number,
  number: number,
  more: Partial<EventRecord> = {},
): HeardClaim => ({
  id: { author, epoch: 1, sequence },
  hlc: { unixMs: 1_000, counter: sequence },
  wallUnixMs: 3,
  record: { name: 'site.lockdown', detail: { by: `rule:${number}`, raise: idOf(number) }, ...more },
});
