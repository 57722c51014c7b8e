import { buildSite, planOfGateway, SqlitePolicyView } from '@sparc/edge/policy';
import type { FieldPolicy } from '@sparc/edge/field';
import type { SiteFile } from '@sparc/protocol/policy';
import { townBus, townSite } from '../scenarios/index.js';

/** The policy of the town. It takes as long to build as an hour of the town to pass, and is the same for every seed. */
export class TownPolicy {
  readonly site: SiteFile = townSite();
  readonly #view: SqlitePolicyView;

  constructor() {
    const pinKey = new Uint8Array(32);
    const db = buildSite(this.site, { path: ':memory:', revision: 'town-1', pinKey });
    this.#view = new SqlitePolicyView(db, pinKey);
  }

  /** As one gateway has it. */
  of(gateway: number, confirmedUnixMs: number): Extract<FieldPolicy, { kind: 'policy' }> {
    const view = this.#view;
    const { plan: site } = view;
    return { kind: 'policy', view, plan: planOfGateway(site, [townBus(gateway)]), site, confirmedUnixMs };
  }
}
