import type { Database, Statement } from 'better-sqlite3';
import { cardOfKey } from '@sparc/protocol/card-format';
import { SparcError } from '@sparc/protocol/errors';
import type {
  AccessPoint,
  Area,
  CredentialHolder,
  OnUnknownClock,
  PolicyStaleness,
  Schedule,
  SpecialDayGroup,
  SitePlan,
} from '@sparc/protocol/policy';
import { pinIdentifierKey, type PinMac } from '@sparc/protocol/site-check';
import type { CredentialRecord, PolicyView, Right } from '../access/index.js';
import { openGeneration } from './open-generation.js';
import { pinHashBytes, pinHashEqual, pinMac } from './pin.js';
import { RecentMap } from './recent-map.js';
import { readSitePlan } from './site-plan.js';

/**
 * Page cache: holds the inner pages of the indexes over a million credentials, so that a look-up reads one leaf of each.
 * Mapping the file instead saves a third of the time, and doubles the memory that the process is seen to use.
 */
const CACHE_SIZE_KIB = 16_384;

/** Credentials read last: the people of a day at one gateway. Twice as many cost 30 MB of resident memory when tried. */
const CREDENTIALS_REMEMBERED_MAX = 2_048;

/** Different rights to an access point; a site has few. */
const RIGHTS_REMEMBERED_MAX = 1_024;

/** What the generation says of a credential, as far as it was asked. */
interface KnownCredential {
  readonly record: CredentialRecord;
  readonly row: number;
  /** By the place of the access point in the plan. */
  readonly rightsAt: (readonly Right[] | undefined)[];
}

interface PinHashes {
  readonly pin: Uint8Array | null;
  readonly duress: Uint8Array | null;
}
/** Equal to no hash. */
const NO_PIN_HASH = new Uint8Array(0);

interface CredentialRow {
  readonly row: number;
  readonly id: string;
  readonly holderId: string;
  readonly holderStatus: CredentialHolder['status'];
  readonly status: CredentialRecord['status'];
  readonly validFrom: number | null;
  readonly validTo: number | null;
  readonly issue: number | null;
  readonly hasPin: 0 | 1;
  readonly override: 0 | 1;
  readonly usesMax: number | null;
  readonly extendedTime: 0 | 1;
  readonly clearance: number;
  readonly escortRequired: 0 | 1;
}

interface RightRow {
  readonly profileId: string;
  readonly scheduleId: string;
  readonly may: string | null;
}

/**
 * A generation of the store as the decision asks it. What grows with the population is answered by SQLite; the plan of
 * the site, a few hundred small entries that never change, is read once.
 */
export class SqlitePolicyView implements PolicyView {
  readonly revision: string;
  readonly plan: SitePlan;
  readonly policyStaleness?: PolicyStaleness;
  readonly minimumClearance?: readonly number[];
  readonly #db: Database;
  readonly #pinMac: PinMac;
  readonly #accessPoints: ReadonlyMap<string, AccessPoint>;
  readonly #places: ReadonlyMap<string, number>;
  readonly #areas: ReadonlyMap<string, Area>;
  readonly #schedules: ReadonlyMap<string, Schedule>;
  readonly #specialDayGroups: ReadonlyMap<string, SpecialDayGroup>;
  readonly #credential: Statement<[string], CredentialRow>;
  readonly #credentialById: Statement<[string], CredentialRow>;
  readonly #row: Statement<[string], number>;
  readonly #rights: Statement<[string, number], RightRow>;
  readonly #profileRights: Statement<[string, string], RightRow>;
  readonly #usesMax: Statement<[string], number>;
  readonly #pinHashes: Statement<[string], PinHashes>;
  readonly #holder: Statement<[string], CredentialHolder>;
  /** By identifier key: people come back, and a revision never changes, so nothing in here goes stale. */
  readonly #recent = new RecentMap<string, KnownCredential>(CREDENTIALS_REMEMBERED_MAX);
  readonly #knownRights = new RecentMap<string, readonly Right[]>(RIGHTS_REMEMBERED_MAX);
  /** Undefined until it is asked for: it takes a look at every credential. */
  #hasUseLimits: boolean | undefined;
  /** The rights of a credential are asked for right after it was found. */
  #found: KnownCredential | undefined;

  /** `db` is open on a generation, in a file or in memory; the view closes it. */
  constructor(db: Database, pinKey: Uint8Array) {
    this.#db = db;
    this.#pinMac = pinMac(pinKey);
    db.pragma(`cache_size = -${CACHE_SIZE_KIB}`);
    this.revision = db.prepare('SELECT revision FROM policy').pluck().get() as string;
    this.plan = readSitePlan(db);
    const { policyStaleness, minimumClearance } = this.plan.site;
    if (policyStaleness !== undefined) this.policyStaleness = policyStaleness;
    if (minimumClearance !== undefined) this.minimumClearance = minimumClearance;
    this.#accessPoints = byId(this.plan.accessPoints);
    this.#places = new Map(this.plan.accessPoints.map(({ id }, place) => [id, place]));
    this.#areas = byId(this.plan.areas);
    this.#schedules = byId(this.plan.schedules);
    this.#specialDayGroups = byId(this.plan.specialDayGroups);
    const columns = `
      c.credential AS row, c.id, c.holder AS holderId, c.status, c.valid_from_unix_ms AS validFrom,
      c.valid_to_unix_ms AS validTo, c.pin_hash IS NOT NULL AS hasPin, c.override, c.uses_max AS usesMax,
      c.extended_time AS extendedTime, c.holder_status AS holderStatus, c.clearance, c.escort_required AS escortRequired`;
    // CROSS JOIN fixes the order of the loops: from the one identifier outwards.
    this.#credential = db.prepare(`
      SELECT ${columns}, i.issue FROM credential_identifier i CROSS JOIN credential c USING (credential)
      WHERE i.identifier_key = ?`);
    this.#credentialById = db.prepare(`SELECT ${columns}, NULL AS issue FROM credential c WHERE c.id = ?`);
    this.#rights = db.prepare(`
      SELECT p.id AS profileId, a.schedule AS scheduleId, a.may
      FROM credential_access_profile m
        CROSS JOIN access_policy a ON a.access_profile = m.access_profile AND a.access_point = ?
        CROSS JOIN access_profile p ON p.access_profile = m.access_profile
      WHERE m.credential = ?`);
    this.#profileRights = db.prepare(`
      SELECT p.id AS profileId, a.schedule AS scheduleId, a.may
      FROM access_profile p CROSS JOIN access_policy a USING (access_profile)
      WHERE p.id = ? AND a.access_point = ?`);
    this.#row = db.prepare<[string], number>('SELECT credential FROM credential WHERE id = ?').pluck();
    this.#usesMax = db
      .prepare<[string], number>('SELECT uses_max FROM credential WHERE id = ? AND uses_max IS NOT NULL')
      .pluck();
    this.#pinHashes = db.prepare('SELECT pin_hash AS pin, duress_pin_hash AS duress FROM credential WHERE id = ?');
    this.#holder = db.prepare('SELECT id, name, status FROM credential_holder WHERE id = ?');
  }

  /** Throws ERR_POLICY_CORRUPT or ERR_POLICY_SCHEMA_VERSION. */
  static open(path: string, pinKey: Uint8Array): SqlitePolicyView {
    const db = openGeneration(path);
    try {
      return new SqlitePolicyView(db, pinKey);
    } catch (cause) {
      db.close();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SparcError('ERR_POLICY_CORRUPT', `${path} cannot be read: ${why}`, { path }, { cause });
    }
  }

  get siteId(): string {
    return this.plan.site.id;
  }

  get timeZone(): string {
    return this.plan.site.timeZone;
  }

  get trustUnsyncedClock(): boolean {
    return this.plan.site.trustUnsyncedClock ?? false;
  }

  get onUnknownClock(): OnUnknownClock {
    return this.plan.site.onUnknownClock ?? 'alwaysOnly';
  }

  get cardFormats(): SitePlan['cardFormats'] {
    return this.plan.cardFormats;
  }

  accessPoint(id: string): AccessPoint | undefined {
    return this.#accessPoints.get(id);
  }

  area(id: string): Area | undefined {
    return this.#areas.get(id);
  }

  schedule(id: string): Schedule | undefined {
    return this.#schedules.get(id);
  }

  specialDayGroup(id: string): SpecialDayGroup | undefined {
    return this.#specialDayGroups.get(id);
  }

  credentialByIdentifier(key: string): CredentialRecord | undefined {
    this.#found = this.#recent.get(key) ?? this.#read(key);
    return this.#found?.record;
  }

  credential(id: string): CredentialRecord | undefined {
    const found = this.#credentialById.get(id);
    return found && recordOf(found);
  }

  credentialByPin(pin: string): CredentialRecord | undefined {
    return this.credentialByIdentifier(pinIdentifierKey(this.#pinMac, pin));
  }

  rights(credentialId: string, accessPointId: string): readonly Right[] {
    if (this.#found?.record.id !== credentialId) {
      const row = this.#row.get(credentialId);
      return row === undefined ? NO_RIGHTS : this.#readRights(accessPointId, row);
    }
    const { row, rightsAt } = this.#found;
    const place = this.#places.get(accessPointId);
    if (place === undefined) return NO_RIGHTS;
    let rights = rightsAt[place];
    if (rights === undefined) rightsAt[place] = rights = this.#readRights(accessPointId, row);
    return rights;
  }

  profileRights(profileId: string, accessPointId: string): readonly Right[] {
    return this.#profileRights.all(profileId, accessPointId).map(rightOf);
  }

  /** Many credentials have the same rights: kept once, they stay in the caches of the processor. */
  #readRights(accessPointId: string, row: number): readonly Right[] {
    const rows = this.#rights.all(accessPointId, row);
    if (rows.length === 0) return NO_RIGHTS;
    const key = JSON.stringify(rows);
    const known = this.#knownRights.get(key) ?? rows.map(rightOf);
    this.#knownRights.set(key, known);
    return known;
  }

  #read(key: string): KnownCredential | undefined {
    const found = this.#credential.get(key);
    if (found === undefined) return undefined;
    const known = { record: recordOf(found), row: found.row, rightsAt: this.plan.accessPoints.map(() => undefined) };
    this.#recent.set(key, known);
    return known;
  }

  get hasUseLimits(): boolean {
    return (this.#hasUseLimits ??=
      this.#db.prepare('SELECT 1 FROM credential WHERE uses_max IS NOT NULL LIMIT 1').get() !== undefined);
  }

  usesMax(credentialId: string): number | undefined {
    return this.#usesMax.get(credentialId);
  }

  has(kind: 'credential' | 'holder', id: string): boolean {
    return (kind === 'credential' ? this.#row : this.#holder).get(id) !== undefined;
  }

  comparePin(credentialId: string, pin: string): 'right' | 'wrong' | 'duress' {
    const typed = pinHashBytes(this.#pinMac, credentialId, pin);
    const stored = this.#pinHashes.get(credentialId);
    // Both, whatever the first says: how long it takes tells nothing.
    const isRight = pinHashEqual(stored?.pin ?? NO_PIN_HASH, typed);
    const isDuress = pinHashEqual(stored?.duress ?? NO_PIN_HASH, typed);
    if (isRight) return 'right';
    return isDuress ? 'duress' : 'wrong';
  }

  cardOf(credentialId: string): ReturnType<typeof cardOfKey> | undefined {
    const found = this.#db
      .prepare<[string], { identifierKey: string; issue: number | null }>(
        `SELECT i.identifier_key AS identifierKey, i.issue FROM credential c CROSS JOIN credential_identifier i
         USING (credential) WHERE c.id = ? AND i.identifier_key NOT LIKE 'pin:%' ORDER BY i.identifier_key LIMIT 1`,
      )
      .get(credentialId);
    return found && cardOfKey(found.identifierKey, found.issue ?? undefined);
  }

  /** For people's screens; a decision does not need it. */
  credentialHolder(id: string): CredentialHolder | undefined {
    return this.#holder.get(id);
  }

  close(): void {
    this.#db.close();
  }
}

const NO_RIGHTS: readonly Right[] = [];

function recordOf(row: CredentialRow): CredentialRecord {
  return {
    id: row.id,
    holderId: row.holderId,
    holderStatus: row.holderStatus,
    status: row.status,
    ...(row.validFrom !== null && { validFromUnixMs: row.validFrom }),
    ...(row.validTo !== null && { validToUnixMs: row.validTo }),
    ...(row.issue !== null && { issue: row.issue }),
    hasPin: row.hasPin === 1,
    ...(row.override === 1 && { override: true }),
    ...(row.usesMax !== null && { usesMax: row.usesMax }),
    ...(row.extendedTime === 1 && { extendedTime: true }),
    ...(row.clearance > 0 && { clearance: row.clearance }),
    ...(row.escortRequired === 1 && { escortRequired: true }),
  };
}

const rightOf = ({ profileId, scheduleId, may }: RightRow): Right => ({
  profileId,
  scheduleId,
  ...(may !== null && { may: JSON.parse(may) as NonNullable<Right['may']> }),
});

function byId<T extends { readonly id: string }>(entries: readonly T[]): ReadonlyMap<string, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}
