import {
  DeliveryLog,
  deliveryOf,
  directiveOf,
  type DeliverySite,
  type DeliveryView,
  type DirectiveView,
} from '@sparc/protocol/delivery';
import { Entitlements } from '@sparc/protocol/directive';
import type { Clock } from '@sparc/protocol/ports';
import type { Delegation } from '@sparc/protocol/roster';
import type { MeshView } from '../api/index.js';
import { verifySignature } from '../platform/index.js';
import type { OwnLog, ReadableLogs } from '../replica/index.js';
import { allLogs } from './all-logs.js';
import { DeliveryReader } from './delivery-reader.js';

export interface SiteDeliveryDeps {
  readonly clock: Clock;
  /** Public key of the authority of the site, in hex. */
  readonly authority: string;
  readonly own: OwnLog;
  readonly replicas: ReadableLogs;
  /** A directive was given or answered. */
  readonly onDirective: () => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Proof of delivery from the own journal and the replicas, which were verified when they were taken. */
export class SiteDelivery {
  readonly #entitlements: Entitlements;
  readonly #log: DeliveryLog;
  readonly #reader: DeliveryReader;

  constructor({ authority, own, replicas, ...deps }: SiteDeliveryDeps) {
    this.#entitlements = new Entitlements(authority);
    this.#log = new DeliveryLog(verifySignature, this.#entitlements);
    this.#reader = new DeliveryReader({ ...deps, logs: allLogs(own, replicas), delivery: this.#log });
  }

  start(): void {
    this.#reader.start();
  }

  /** What the authority delegated: what its operators direct is shown from now on, or not any more. */
  believe(delegation: Delegation): void {
    if (this.#entitlements.take(delegation)) this.#log.believed();
  }

  /** To whom it delegated, but those whose rights were withdrawn. */
  get operators(): readonly Delegation[] {
    return this.#entitlements.operators;
  }

  /** The log of an author has more. */
  grew(author: string): void {
    this.#reader.grew(author);
  }

  view(mesh: MeshView): DeliveryView {
    return deliveryOf(this.#log, siteOf(mesh), this.#reader.isComplete);
  }

  /** Undefined for one that no log here carries, or that its operator had no right to. */
  directive(id: string, mesh: MeshView): DirectiveView | undefined {
    const given = this.#log.given(id);
    return given && directiveOf(this.#log, siteOf(mesh), given);
  }

  stop(): void {
    this.#reader.stop();
  }
}

const siteOf = ({ members, operators }: MeshView): DeliverySite => ({
  members: members.map(({ key, name, isSelf, isReached, clockAheadMs }) => ({
    key,
    name,
    isSelf,
    isReached,
    ...(clockAheadMs !== undefined && { clockAheadMs }),
  })),
  operatorNames: new Map(operators.map(({ key, name }) => [key, name])),
});
