import { Type } from '@sinclair/typebox';
import type { ErrorCode } from '@sparc/protocol/errors';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import type { OwnTime, TimesHeard } from '../clock/index.js';
import type { BusesView, CommissioningAnswer, CommissioningView } from '../commissioning/index.js';
import type { MeshConfig } from '../config/index.js';
import type { DirectiveReceipt } from '../directives/index.js';
import type { ExpulsionTexts } from '../membership/index.js';
import type { MeshNotice } from './mesh-notice.js';
import type { SiteEvent } from './site-event.js';
import type { SiteSnapshot } from './site-snapshot.js';

/** What the site process is started with, as JSON in its first argument. No secret: arguments can be read by others. */
export interface SiteOptions {
  /** Loopback. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where `journal.db` is, for events older than the process; and keys, roster and replicas for the mesh. */
  readonly dataDir: string;
  /** Origin of a live simulator, which the console then offers controls for. */
  readonly simulatorUrl?: string;
  /** Absent: the gateway speaks to no other. */
  readonly mesh?: MeshConfig;
  readonly logLevel: string;
}

/** What the field tells the site process. */
export type FieldToSite =
  | { readonly kind: 'snapshot'; readonly snapshot: SiteSnapshot }
  | { readonly kind: 'commissioning'; readonly view: CommissioningView }
  | { readonly kind: 'buses'; readonly view: BusesView }
  | { readonly kind: 'event'; readonly event: SiteEvent }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: FieldAnswer }
  /** All whom operators expelled; at its start the site process finds them on the disk. */
  | { readonly kind: 'expelled'; readonly expulsions: ExpulsionTexts }
  /** A sign of life of the field, every `HEALTH_INTERVAL_MS`, with what its clock is worth by itself. */
  | { readonly kind: 'health'; readonly droppedCount: number; readonly time: OwnTime | undefined };

/** What a person's request comes to. */
export type RequestAnswer =
  CommissioningAnswer | { readonly kind: 'obeyed' } | { readonly kind: 'directed'; readonly receipt: DirectiveReceipt };

export type FieldAnswer =
  | { readonly ok: true; readonly value: RequestAnswer }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/**
 * What the site process tells the field: whether the address is served, what a person asks for, and what came of the mesh.
 * The site process carries a request and neither checks nor keeps its authorization; the field checks both again.
 */
export type SiteToField =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  /** The field checks it, and records no more of them than a mesh in order tells. */
  | { readonly kind: 'mesh'; readonly notice: MeshNotice }
  /** The field checks its shape. It is believed only where the field knows no time itself, and never against its mark. */
  | { readonly kind: 'siteTime'; readonly heard: TimesHeard }
  /** There may be more in the replicas, which the field reads and verifies itself; at most once in `STORED_PAUSE_MS`. */
  | { readonly kind: 'stored' }
  /**
   * Public keys, in hex, of the members that are heard, directly or through others; when they change. The field checks the
   * shape, and believes the rest.
   */
  | { readonly kind: 'reach'; readonly keys: readonly string[] }
  | { readonly kind: 'request'; readonly id: number; readonly action: unknown; readonly authorization?: string };

/** Of the message `reach`. */
export const Reach = Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { maxItems: MEMBERS_MAX });

/** Requests of the site process that wait for an answer; more are refused there. */
export const REQUESTS_WAITING_MAX = 16;
/** Messages of the site process within a second; one that sends more has gone mad, and is ended and restarted. */
export const MESSAGES_PER_SECOND_MAX = 200;
export const STORED_PAUSE_MS = 10;
export const HEALTH_INTERVAL_MS = 5_000;
