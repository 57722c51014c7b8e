import { Database } from '../platform/sqlite.js';
import { identifierKey } from '@sparc/protocol/card-format';
import { SparcError } from '@sparc/protocol/errors';
import {
  type AccessProfile,
  type CredentialHolder,
  type HashedCredential,
  type SitePlan,
  isTimeZone,
  ValidityClock,
} from '@sparc/protocol/policy';
import { migrate } from './migrations.js';
import { PLAN_TABLES } from './site-plan.js';

export interface PolicyBuilderOptions {
  /** A file that does not exist yet, `:memory:`, or what `prepare` takes. */
  readonly path: string;
  readonly revision: string;
  readonly plan: SitePlan;
  /** Makes the tables in the file at `path`, or leaves in them what is not built again: of people alone. */
  readonly prepare?: (db: Database) => void;
}

/**
 * Builds one generation of the store. Profiles and holders come before the credentials that name them; nothing is kept
 * in memory, so the population may be large. Expects what `validateSiteFile` lets pass: a wrong reference or a second
 * use of an identifier throws ERR_POLICY_INVALID, and the file is of no use then.
 */
export class PolicyBuilder {
  readonly #db: Database;
  readonly #time: ValidityClock;
  readonly #insert;

  constructor({ path, revision, plan, prepare = migrate }: PolicyBuilderOptions) {
    const { timeZone } = plan.site;
    // What one machine signed may name a zone that this one, with an older list, does not know.
    if (!isTimeZone(timeZone)) {
      throw new SparcError('ERR_POLICY_INVALID', `the time zone \`${timeZone}\` is not known here`, { timeZone });
    }
    const db = (this.#db = new Database(path));
    this.#time = new ValidityClock(timeZone);
    try {
      setUp(db);
      prepare(db);
      writePlan(db, plan, revision);
    } catch (error) {
      // An open file that somebody removes takes room on the disk still.
      db.close();
      throw error;
    }
    this.#insert = {
      profile: db.prepare('INSERT INTO access_profile (id, name) VALUES (?, ?)'),
      policy: db.prepare('INSERT INTO access_policy VALUES (?, ?, ?, ?)'),
      holder: db.prepare(
        'INSERT INTO credential_holder (id, name, status, clearance, escort_required) VALUES (?, ?, ?, ?, ?)',
      ),
      credential: db.prepare(
        `INSERT INTO credential (id, holder, status, valid_from_unix_ms, valid_to_unix_ms, pin_hash,
           duress_pin_hash, override, uses_max, extended_time, holder_status, clearance, escort_required)
         SELECT given.*, h.status, h.clearance, h.escort_required
           FROM (SELECT ?, ? AS holder, ?, ?, ?, ?, ?, ?, ?, ?) given LEFT JOIN credential_holder h ON h.id = given.holder`,
      ),
      identifier: db.prepare('INSERT INTO credential_identifier VALUES (?, ?, ?)'),
      credentialProfile: db.prepare(
        'INSERT INTO credential_access_profile VALUES (?, (SELECT access_profile FROM access_profile WHERE id = ?))',
      ),
    };
  }

  addAccessProfile({ id, name, policies }: AccessProfile): void {
    refusing(() => {
      const { lastInsertRowid: profile } = this.#insert.profile.run(id, name);
      for (const { accessPoint, schedule, may } of policies) {
        this.#insert.policy.run(profile, accessPoint, schedule, may === undefined ? null : JSON.stringify(may));
      }
    }, `access profile ${id}`);
  }

  addCredentialHolder({ id, name, status, clearance = 0, escortRequired = false }: CredentialHolder): void {
    refusing(
      () => this.#insert.holder.run(id, name, status, clearance, escortRequired ? 1 : 0),
      `credential holder ${id}`,
    );
  }

  addCredential(credential: HashedCredential): void {
    const { id, holder, status, validFrom, validTo } = credential;
    refusing(() => {
      const { lastInsertRowid: row } = this.#insert.credential.run(
        id,
        holder,
        status,
        validFrom === undefined ? null : this.#time.validFrom(validFrom),
        validTo === undefined ? null : this.#time.validTo(validTo),
        storedHash(credential.pinHash),
        storedHash(credential.duressPinHash),
        credential.override === true ? 1 : 0,
        credential.usesMax ?? null,
        credential.extendedTime === true ? 1 : 0,
      );
      for (const identifier of credential.identifiers) {
        const issue = 'format' in identifier ? (identifier.issue ?? null) : null;
        this.#insert.identifier.run(identifierKey(identifier), row, issue);
      }
      for (const profile of credential.accessProfiles) this.#insert.credentialProfile.run(row, profile);
      for (const key of credential.pinIdentifierKeys ?? []) this.#insert.identifier.run(key, row, null);
    }, `credential ${id}`);
  }

  /**
   * The finished generation, still open; the caller closes it. Without ANALYZE: given its statistics, SQLite plans a
   * statement again at every binding, which takes ten times as long as the look-up. The statements fix their own plans.
   */
  finish(): Database {
    this.#db.exec('COMMIT');
    return this.#db;
  }

  /** Gives up, unless it is finished and closed already; the file, if any, is the caller's to remove. */
  abandon(): void {
    this.#db.close();
  }
}

const storedHash = (hash: string | undefined) => (hash === undefined ? null : Buffer.from(hash, 'base64url'));

function refusing(insert: () => void, what: string): void {
  try {
    insert();
  } catch (error) {
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_CONSTRAINT')) throw error;
    throw new SparcError('ERR_POLICY_INVALID', `${what} is refused: ${error.message}`, {}, { cause: error });
  }
}

function setUp(db: Database): void {
  // A crash loses the whole file anyway: it counts only once its manifest is signed, and it is flushed before that.
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('cache_size = -65536');
}

function writePlan(db: Database, plan: SitePlan, revision: string): void {
  db.pragma('foreign_keys = ON');
  db.exec('BEGIN');
  db.prepare('INSERT INTO policy (revision, site) VALUES (?, ?)').run(revision, JSON.stringify(plan.site));
  const insertFormat = db.prepare('INSERT INTO card_format (definition) VALUES (?)');
  for (const format of plan.cardFormats) insertFormat.run(JSON.stringify(format));
  for (const [table, list] of PLAN_TABLES) {
    const insert = db.prepare(`INSERT INTO ${table} (id, definition) VALUES (?, ?)`);
    for (const entry of plan[list] ?? [])
      refusing(() => insert.run(entry.id, JSON.stringify(entry)), `${table} ${entry.id}`);
  }
}
