import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { JournalStartReport } from '@sparc/edge/ledger';
import { HLC_ZERO, mergeHlc, nextHlc, type Hlc } from '@sparc/protocol/hlc';
import { encodeEvent } from '@sparc/protocol/ledger';
import type { AppendedEntry, Clock, EntryDraft, Journal } from '@sparc/protocol/ports';
import { eventFaults } from './event-faults.js';

const OUTCOMES = ['access.released', 'access.not_executed', 'access.outcome_unknown', 'access.abandoned'];
const USES = ['access.used', 'access.not_used', 'access.unverified'];

/** A journal over an array, with a disk that can be slow, hang or fail. Appends become durable in call order. */
export class MemoryJournal implements Journal {
  /** What is on disk. */
  readonly entries: AppendedEntry[] = [];
  readonly observed: Hlc[] = [];
  /** Of whatever was lost with the disk. */
  readonly overtaken: number[] = [];
  /** From the append to the flush. */
  flushMs = 1;
  failure: ErrorCode | undefined;
  /** Every append waits until `release`. */
  hanging = false;
  #hlc = HLC_ZERO;
  #policyRevision: string | undefined;
  #newestRevocation = 0;
  #waiting: (() => void)[] = [];
  #order: Promise<unknown> = Promise.resolve();

  constructor(private readonly clock: Clock) {}

  get names(): string[] {
    return this.entries.map(({ record }) => record.name);
  }

  async append(draft: EntryDraft): Promise<AppendedEntry> {
    const { record, expectedPolicyRevision, seenRevocation = Infinity } = draft;
    // Refuses what no entry can hold, as the real one does.
    encodeEvent(record);
    const faults = eventFaults(record);
    if (faults.length > 0) throw new Error(`not as the catalogue has it: ${faults.join('; ')}`);
    if (expectedPolicyRevision !== undefined && expectedPolicyRevision !== this.#policyRevision) {
      throw new SparcError('ERR_LEDGER_RACE_LOST', 'the policy moved');
    }
    if (seenRevocation < this.#newestRevocation) throw new SparcError('ERR_LEDGER_RACE_LOST', 'somebody was revoked');
    if (this.failure !== undefined) throw new SparcError(this.failure, 'the disk is broken');
    if (record.name === 'policy.loaded') this.#policyRevision = record.detail?.['revision'];
    if (record.name === 'revocation.applied') this.#newestRevocation = Number(record.detail?.['number']);
    const turn = Promise.all([this.#order, this.#flushed()]).then(() => {
      const wall = this.clock.wall();
      const id = { author: 'ab'.repeat(32), epoch: 1, sequence: this.entries.length + 1 };
      this.#hlc = nextHlc(this.#hlc, wall.unixMs);
      const entry = { id, hlc: this.#hlc, wallUnixMs: wall.unixMs, timeQuality: wall.quality, record };
      this.entries.push(entry);
      return entry;
    });
    this.#order = turn;
    return turn;
  }

  openEpochAbove(counter: number): void {
    this.overtaken.push(counter);
  }

  observe(hlc: Hlc): void {
    this.observed.push(hlc);
    this.#hlc = mergeHlc(this.#hlc, hlc, this.clock.wall().unixMs);
  }

  /** Grants of which it does not say what became, as the real one reports them to the next start. */
  get unsettled(): Pick<JournalStartReport, 'openGrants' | 'releasedGrants'> {
    const told = ({ id }: AppendedEntry, names: readonly string[]) =>
      this.entries.some(({ record }) => names.includes(record.name) && record.causeId?.sequence === id.sequence);
    const grants = this.entries.filter(({ record }) => record.name.startsWith('access.granted'));
    const logged = (grant: AppendedEntry) => ({ ...grant, kind: 'event' });
    return {
      openGrants: grants.filter((grant) => !told(grant, OUTCOMES)).map(logged),
      releasedGrants: grants.filter((grant) => told(grant, ['access.released']) && !told(grant, USES)).map(logged),
    };
  }

  /** The disk answers again. */
  release(): void {
    this.hanging = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.hanging) this.#waiting.push(resolve);
      else if (this.flushMs === 0) resolve();
      else this.clock.setTimer(this.flushMs, resolve);
    });
  }
}
