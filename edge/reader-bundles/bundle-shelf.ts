import type { Clock, Timer } from '@sparc/protocol/ports';
import { listBundles } from './bundle-folder.js';
import type { Bundle } from './bundle.js';

/** `sparc bundle import` is another process. */
const LOOK_INTERVAL_MS = 2_000;

/** The imported bundles, as they come and go. */
export class BundleShelf {
  #bundles: readonly Bundle[] = [];
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly options: { readonly dataDir: string; readonly signers: readonly Uint8Array[] },
    private readonly onChange: () => void,
  ) {}

  get bundles(): readonly Bundle[] {
    return this.#bundles;
  }

  start(): void {
    void this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { dataDir, signers } = this.options;
    const bundles = await listBundles(dataDir, signers);
    if (this.#isStopped) return;
    const ids = (list: readonly Bundle[]) => list.map(({ id }) => id).join();
    const changed = ids(bundles) !== ids(this.#bundles);
    this.#bundles = bundles;
    if (changed) this.onChange();
    this.#timer = this.clock.setTimer(LOOK_INTERVAL_MS, () => void this.#look());
  }
}
