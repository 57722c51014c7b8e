import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

/** A number where the column holds 64 bits: what is stored stays below 2^53. */
type Counter = number;
/** Written as JSON text, read as a value. */
type Json = ColumnType<unknown, string, string>;
type Time = Date;
/** Set by the database. */
type SetTime = ColumnType<Date, never, never>;

export interface Tenants {
  id: string;
  name: string;
  region: string;
  retention_days: number;
  legal_hold: boolean;
  created_at: SetTime;
}

export interface Sites {
  tenant_id: string;
  id: string;
  name: string;
  /** Ed25519, 32 bytes. */
  authority_key: Uint8Array | null;
  created_at: SetTime;
}

export type GatewayState = 'claimed' | 'active' | 'expelled' | 'replaced';

export interface Gateways {
  tenant_id: string;
  site_id: string;
  /** Ed25519 public key, 32 bytes. */
  id: Uint8Array;
  name: string;
  state: GatewayState;
  claimed_at: Generated<Time>;
  expelled_at: Time | null;
}

export interface GatewayCertificates {
  tenant_id: string;
  serial: Uint8Array;
  gateway_id: Uint8Array;
  certificate_der: Uint8Array;
  not_before: Time;
  not_after: Time;
  revoked_at: Time | null;
}

export interface ClaimCodes {
  tenant_id: string;
  site_id: string;
  /** SHA-256 of the code. */
  code_hash: Uint8Array;
  gateway_name: string;
  expires_at: Time;
  used_at: Time | null;
  used_by: Uint8Array | null;
  /** Public key of the gateway whose place it is for. */
  replaces: Uint8Array | null;
  /** Name of the user; null: not known. */
  made_by: string | null;
}

export interface GatewayStatus {
  tenant_id: string;
  gateway_id: Uint8Array;
  last_contact_at: Time | null;
  /** Up to where somebody has its log, by its own signature. */
  said_epoch: Counter | null;
  said_epoch_random: Uint8Array | null;
  said_sequence: Counter | null;
}

export interface GatewayRefusals {
  tenant_id: string;
  gateway_id: Uint8Array;
  /** Of the registry of errors. */
  code: string;
  count: Counter;
  last_at: Time;
}

export interface Audit {
  tenant_id: string;
  id: Generated<Counter>;
  at: SetTime;
  actor: string;
  act: string;
  subject: string;
  detail: Json;
}

export interface AuthorHeads {
  tenant_id: string;
  site_id: string;
  author: Uint8Array;
  epoch: Counter;
  epoch_random: Uint8Array;
  sequence: Counter;
  hash: Uint8Array;
  signature: Uint8Array;
  /** Empty where the epoch is of a time before the gateway joined its site. */
  signed_site: Generated<string>;
  previous_epoch: Counter | null;
  previous_epoch_random: Uint8Array | null;
  previous_sequence: Counter | null;
  previous_hash: Uint8Array | null;
  outside_count: Generated<Counter>;
  emptied_count: Generated<Counter>;
  stopped_at: Time | null;
  updated_at: Generated<Time>;
}

export interface Forks {
  tenant_id: string;
  site_id: string;
  author: Uint8Array;
  name: string;
  kind: string;
  first: Uint8Array;
  second: Uint8Array;
  seen_at: SetTime;
}

export interface Events {
  tenant_id: string;
  site_id: string;
  author: Uint8Array;
  epoch: Counter;
  epoch_random: Uint8Array;
  sequence: Counter;
  at: Time;
  time_quality: string;
  hlc_unix_ms: Counter;
  hlc_counter: number;
  kind: string;
  hash: Uint8Array;
  content: Uint8Array;
  record: Json | null;
  /** Of an event. */
  name: GeneratedAlways<string | null>;
  /** Of the head over it, where it closed a batch. */
  signature: Uint8Array | null;
  received_at: SetTime;
}

export interface SiteAuthorities {
  tenant_id: string;
  site_id: string;
  /** Sealed to a key outside of the database. */
  pin_key: Uint8Array;
  incarnation: string;
}

export interface PolicyParts {
  tenant_id: string;
  site_id: string;
  /** SHA-256 of the content. */
  hash: Uint8Array;
  content: Uint8Array;
}

export interface Incarnation {
  id: string;
  began_at: Time;
}

export interface PolicyObjects {
  tenant_id: string;
  site_id: string;
  kind: string;
  id: string;
  version: Generated<Counter>;
  body: Json;
  changed_at: Generated<Time>;
  changed_by: string;
  sealed: Uint8Array | null;
  marks: Generated<string[]>;
  /** Of a credential. */
  holder: GeneratedAlways<string | null>;
  /** In small letters. */
  name: GeneratedAlways<string | null>;
}

/** Whose a card is; kept by the database. */
export interface PolicyMarks {
  tenant_id: string;
  site_id: string;
  mark: string;
  /** Of the credential. */
  id: string;
}

export interface PolicyDrafts {
  tenant_id: string;
  site_id: string;
  version: Generated<Counter>;
}

export interface PolicyRevocations {
  tenant_id: string;
  site_id: string;
  id: string;
  subject: 'credential' | 'holder';
  subject_id: string;
  kind: GeneratedAlways<string>;
  revoked_by: string;
  taken_at: Generated<Time>;
  reinstated_by: string | null;
}

export interface PolicyRevisions {
  tenant_id: string;
  site_id: string;
  number: Counter;
  signed: Uint8Array;
  published_at: Generated<Time>;
  published_by: string;
  note: string | null;
  only_for: string[] | null;
  reissues: Counter | null;
  recovered: Generated<boolean>;
}

export interface PolicyImports {
  tenant_id: string;
  site_id: string;
  id: Generated<string>;
  state: 'running' | 'done' | 'failed';
  dry_run: boolean;
  checked_count: Generated<number>;
  saved_count: Generated<number>;
  created_count: Generated<number>;
  changed_count: Generated<number>;
  problems: ColumnType<unknown, string | undefined, string>;
  problem_count: Generated<number>;
  started_at: SetTime;
  started_by: string;
  alive_at: Generated<Time>;
}

export interface Users {
  tenant_id: string;
  id: Generated<string>;
  name: string;
  password: string;
  role: 'viewer' | 'operator' | 'administrator';
  barred_at: Time | null;
  created_at: SetTime;
  logged_in_at: Time | null;
}

export interface Sessions {
  tenant_id: string;
  id: string;
  user_id: string;
  refresh_hash: Uint8Array;
  expires_at: Time;
}

export interface SchemaVersion {
  major: number;
  minor: number;
}

export interface Tables {
  tenants: Tenants;
  sites: Sites;
  gateways: Gateways;
  gateway_certificates: GatewayCertificates;
  claim_codes: ClaimCodes;
  gateway_status: GatewayStatus;
  gateway_refusals: GatewayRefusals;
  audit: Audit;
  author_heads: AuthorHeads;
  forks: Forks;
  events: Events;
  incarnation: Incarnation;
  policy_drafts: PolicyDrafts;
  policy_imports: PolicyImports;
  policy_objects: PolicyObjects;
  policy_marks: PolicyMarks;
  policy_parts: PolicyParts;
  policy_revisions: PolicyRevisions;
  policy_revocations: PolicyRevocations;
  site_authorities: SiteAuthorities;
  users: Users;
  sessions: Sessions;
  schema_version: SchemaVersion;
}
