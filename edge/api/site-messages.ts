import { Type, type Static, type TProperties } from '@sinclair/typebox';
import type { TriedDecision } from '@sparc/protocol/cloud-link';
import type { ErrorCode } from '@sparc/protocol/errors';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import type { OwnTime } from '../clock/index.js';
import type { BusesView, CommissioningAnswer, CommissioningView } from '../commissioning/index.js';
import type { MeshConfig } from '../config/index.js';
import type { DirectiveReceipt } from '../directives/index.js';
import { WORD_BYTES_MAX } from '../emptying/index.js';
import type { ExpulsionTexts } from '../membership/index.js';
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
  /** All whom operators expelled since the start; others the site process finds on the disk, if it has them. */
  | { readonly kind: 'expelled'; readonly expulsions: ExpulsionTexts }
  /** A sign of life of the field, every `LIFE_INTERVAL_MS`, with what its clock is worth by itself, and what it goes by; it is answered. */
  | {
      readonly kind: 'health';
      readonly droppedCount: number;
      readonly time: OwnTime | undefined;
      readonly timeInUse: OwnTime | undefined;
    };

/** What a person's request comes to. */
export type RequestAnswer =
  | CommissioningAnswer
  | { readonly kind: 'obeyed' }
  | { readonly kind: 'directed'; readonly receipt: DirectiveReceipt }
  | { readonly kind: 'tried'; readonly decision: TriedDecision };

export type FieldAnswer =
  | { readonly ok: true; readonly value: RequestAnswer }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const kind = <const K extends string, T extends TProperties>(name: K, properties: T) =>
  closed({ kind: Type.Literal(name), ...properties });

const WORD_LENGTH_MAX = Math.ceil(WORD_BYTES_MAX / 3) * 4;

/**
 * What the site process tells the field: whether the address is served, what a person asks for, and what came of the mesh.
 * The site process carries a request and neither checks nor keeps its authorization; the field checks both again. Whatever
 * is none of these ends the site process.
 */
export const SiteToField = Type.Union([
  kind('listening', { url: Type.String({ maxLength: 256 }) }),
  /** The address is taken. */
  kind('failed', { message: Type.String({ maxLength: 1_024 }) }),
  /** A `MeshNotice`: the field checks it, and records no more of them than a mesh in order tells. */
  kind('mesh', { notice: Type.Unknown() }),
  /**
   * `TimesHeard`: the field checks its shape. It is believed only where the field knows no time itself, and never against
   * its mark.
   */
  kind('siteTime', { heard: Type.Unknown() }),
  /** Answers `health`. */
  kind('alive', {}),
  /** There may be more in the replicas, which the field reads and verifies itself; at most once in `STORED_PAUSE_MS`. */
  kind('stored', {}),
  /** All parts of a policy revision are on the disk. */
  kind('policyHere', {}),
  /** What the cloud signed that it has of the logs, in base64: the journal's thread verifies it. */
  kind('copied', {
    words: Type.Array(Type.String({ maxLength: WORD_LENGTH_MAX, pattern: '^[A-Za-z0-9+/]*=*$' }), { maxItems: 2 }),
  }),
  /**
   * Public keys, in hex, of the members that are heard, directly or through others; when they change. The field believes
   * them.
   */
  kind('reach', { keys: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { maxItems: MEMBERS_MAX }) }),
  kind('request', {
    id: Type.Integer(),
    action: Type.Unknown(),
    authorization: Type.Optional(Type.String()),
  }),
]);
export type SiteToField = Static<typeof SiteToField>;

/** Requests of the site process that wait for an answer; more are refused there. */
export const REQUESTS_WAITING_MAX = 16;
export const STORED_PAUSE_MS = 10;
