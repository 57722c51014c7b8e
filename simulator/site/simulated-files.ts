import type { ClockStore } from '@sparc/edge/clock';
import type { DirectiveStore } from '@sparc/edge/directives';
import type { LinkageStore } from '@sparc/edge/linkage';
import type { Revocation, RevocationStore } from '@sparc/edge/revocation';
import type { ModeStore } from '@sparc/edge/site-mode';
import type { VisitorStore } from '@sparc/edge/visitors';
import type { Clock } from '@sparc/protocol/ports';
import { sleep } from '../world/index.js';

/** From the call to the word of the disk. */
const SAVE_MS = 3;

/** The small files of a data directory: replaced whole, so a power cut leaves what was there before, or what is new. */
export class SimulatedFiles {
  readonly mode: ModeStore;
  readonly clock: ClockStore;
  readonly directives: DirectiveStore;
  readonly visitors: VisitorStore;
  readonly linkage: LinkageStore;
  readonly revocations: RevocationStore;
  readonly #backups: (() => () => void)[] = [];

  constructor(private readonly time: Clock) {
    this.mode = this.#file();
    this.clock = this.#file();
    this.directives = this.#file();
    this.visitors = this.#file();
    this.linkage = this.#file();
    const file = this.#file<readonly Revocation[]>();
    const all = () => file.load() ?? [];
    this.revocations = {
      load: () => ({ revocations: all() }),
      append: (next) => file.save([...all(), next]),
      replace: (next) => file.save(next),
    };
  }

  /** They become again what they are now, when what is returned is called. */
  backup(): () => void {
    const restores = this.#backups.map((backup) => backup());
    return () => restores.forEach((restore) => restore());
  }

  #file<Content>(): { load(): Content | undefined; save(content: Content): Promise<void> } {
    let content: Content | undefined;
    this.#backups.push(() => {
      const before = content;
      return () => (content = before);
    });
    return {
      load: () => content,
      save: async (next) => {
        await sleep(this.time, SAVE_MS);
        content = next;
      },
    };
  }
}
