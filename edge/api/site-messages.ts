import type { ErrorCode } from '@sparc/protocol/errors';
import type { SiteEvent } from './site-event.js';
import type { SiteSnapshot } from './site-snapshot.js';

/** What the site process is started with, as JSON in its first argument. No secret: arguments can be read by others. */
export interface SiteOptions {
  /** Loopback. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where `journal.db` is, for events older than the process. */
  readonly dataDir: string;
  /** Origin of a live simulator, which the console then offers controls for. */
  readonly simulatorUrl?: string;
  readonly logLevel: string;
}

/** What the field tells the site process. One way: nothing that the site process says reaches a door. */
export type FieldToSite =
  | { readonly kind: 'snapshot'; readonly snapshot: SiteSnapshot }
  | { readonly kind: 'event'; readonly event: SiteEvent }
  /** A sign of life of the field, every `HEALTH_INTERVAL_MS`. */
  | { readonly kind: 'health'; readonly droppedCount: number };

/** The only answer: whether the address is served. */
export type SiteToField =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

export const HEALTH_INTERVAL_MS = 5_000;
