import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import type { EventRecord } from '@sparc/protocol/events';

/** Since when the gateways of an area are heard again; the own journal tells it to the next start. */
export class HealBook {
  readonly #unheard = new Set<string>();
  readonly #healedAt = new Map<string, Hlc>();

  fold({ name, detail = {} }: EventRecord, stamp: Hlc): void {
    const { area } = detail;
    if (area === undefined) return;
    if (name === 'area.peers_unheard') this.#unheard.add(area);
    if (name !== 'area.peers_heard') return;
    this.#unheard.delete(area);
    if (compareHlc(stamp, this.healedAt(area)) > 0) this.#healedAt.set(area, stamp);
  }

  /** What was recorded last. */
  isUnheard(areaId: string): boolean {
    return this.#unheard.has(areaId);
  }

  /** Whoever was seen last before that is held to nothing that contradicts it. */
  healedAt(areaId: string): Hlc {
    return this.#healedAt.get(areaId) ?? HLC_ZERO;
  }
}
