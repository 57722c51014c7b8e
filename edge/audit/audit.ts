import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { recordConfigChange, type ConfigMark } from './config-mark.js';
import { listNotes, readNote, removeNote, type ActNote } from './act-note.js';

/** The command line is another process. */
const LOOK_INTERVAL_MS = 2_000;
/** An act that began so long ago was cut off. */
const CUT_OFF_AFTER_MS = 3_600_000;
/** No note is called so. */
const FOLDER = '';

export interface AuditDeps {
  readonly clock: Clock;
  readonly dataDir: string;
  readonly configFiles: readonly ConfigMark[];
  /** Resolves when the journal has it: true, or that it is lost: false. */
  readonly record: (event: EventDraft) => Promise<boolean>;
  readonly onFailure: (error: unknown, what: string) => void;
}

/**
 * Takes into the journal what people did to the gateway from outside of its process: to its configuration, and to its data
 * directory by the command line.
 */
export class Audit {
  /** Recorded, but their notes could not be removed. */
  readonly #kept = new Set<string>();
  /** Notes, or the folder of them, that cannot be read, and of which that is recorded. */
  readonly #unread = new Set<string>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: AuditDeps) {}

  start(): void {
    const { dataDir, configFiles, record, onFailure } = this.deps;
    for (const mark of configFiles) {
      recordConfigChange(dataDir, mark, record).catch((error: unknown) =>
        onFailure(error, 'the configuration of this start cannot be noted'),
      );
    }
    void this.#look();
  }

  /** What is noted and not recorded yet waits for the next start. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const ids = (await this.#read(FOLDER, () => listNotes(this.deps.dataDir))) ?? [];
    for (const id of ids) {
      if (this.#isStopped) return;
      if (!this.#kept.has(id)) await this.#read(id, () => this.#take(id));
    }
    if (!this.#isStopped) this.#timer = this.deps.clock.setTimer(LOOK_INTERVAL_MS, () => void this.#look());
  }

  /** What cannot be read stands in nobody's way, is an alarm once, and is looked at again. */
  async #read<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const found = await work();
      this.#unread.delete(name);
      return found;
    } catch (error) {
      if (this.#unread.has(name)) return undefined;
      this.deps.onFailure(error, 'what was done by the command line cannot be recorded yet');
      const act = name === FOLDER ? {} : { detail: { act: name } };
      const event = { name: 'audit.unreadable', code: 'ERR_GATEWAY_ACT_UNREADABLE', ...act } as const;
      if (await this.deps.record(event)) this.#unread.add(name);
      return undefined;
    }
  }

  async #take(id: string): Promise<void> {
    const { clock, dataDir, record, onFailure } = this.deps;
    const note = await readNote(dataDir, id);
    const ageMs = note === undefined ? 0 : Math.abs(clock.wall().unixMs - note.atUnixMs);
    if (note?.outcome === 'begun' && ageMs < CUT_OFF_AFTER_MS) return;
    if (!(await record(note === undefined ? unreadable(id) : recordOf(id, note)))) return;
    try {
      await removeNote(dataDir, id);
    } catch (error) {
      this.#kept.add(id);
      onFailure(error, 'the note of an act that is recorded cannot be removed');
    }
  }
}

const unreadable = (act: string): EventDraft => ({
  name: 'audit.unreadable',
  code: 'ERR_GATEWAY_ACT_DAMAGED',
  detail: { act },
});

function recordOf(act: string, { name, by, account, atUnixMs, outcome, code, facts }: ActNote): EventDraft {
  const at = new Date(atUnixMs).toISOString();
  return {
    name,
    ...(code !== undefined && { code }),
    detail: { ...facts, by, account, at, outcome: outcome === 'begun' ? 'unknown' : outcome, act },
  };
}
