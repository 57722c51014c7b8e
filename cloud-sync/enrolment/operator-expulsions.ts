import { sql } from 'kysely';
import type { DirectiveOf } from '@sparc/protocol/directive';
import { isSparcError } from '@sparc/protocol/errors';
import { headFromText, isSignatureValid, type SignedHead } from '@sparc/protocol/ledger';
import { furthestHeads } from '@sparc/protocol/roster';
import type { SiteAuthorities } from '../authority/index.js';
import type { Database, Transaction } from '../db/index.js';
import { nodeCrypto, toHex } from '../platform/index.js';
import { carriedDirectives, judgeCarried } from '../sites/index.js';
import type { Enrolment } from './enrolment.js';

/** Longer than a transaction lasts: what arrived before the last look may have been committed after it. */
const LOOKED_AGAIN_MS = 600_000;

export interface OperatorExpulsionsDeps {
  readonly database: Database;
  readonly authorities: SiteAuthorities;
  readonly enrolment: Pick<Enrolment, 'expel'>;
}

/**
 * Whom an operator expelled at the site, its authority expels as well, so that the roster says so, the site secret is another,
 * and the cloud has nothing to do with that gateway any more. What it does twice changes nothing.
 */
export class OperatorExpulsions {
  /** By site: up to when what arrived was looked at, by the clock of the database. */
  readonly #lookedAt = new Map<string, Date>();

  constructor(private readonly deps: OperatorExpulsionsDeps) {}

  /** Of a site whose authority is kept here. Throws as `Enrolment.expel` does, when all the others have been put out. */
  async fold(tenant: string, site: string): Promise<void> {
    const { database, authorities, enrolment } = this.deps;
    const name = `${tenant}/${site}`;
    const { now, carried } = await database.inTenant(tenant, (transaction) =>
      readExpulsions(transaction, site, this.#lookedAt.get(name)),
    );
    if (carried.length > 0) {
      const { roster, entitlements } = await authorities.of(tenant, site).state();
      const failures: unknown[] = [];
      for (const { key } of roster.members) {
        const counting = carried.flatMap((each) => {
          const verdict = each.directive.gateway === key ? judgeCarried(entitlements, each) : undefined;
          return verdict === undefined ? [] : [{ ...each, name: verdict.name }];
        });
        const [first] = counting;
        if (first === undefined) continue;
        const by = { tenant, name: `operator ${first.name}` };
        const heads = furthestHeads(counting.flatMap(({ directive }) => headsOf(directive)));
        // Without any, nothing of that log would count, and nothing of what operators directed there.
        const attested = heads.length > 0 ? heads : undefined;
        await enrolment.expel(by, site, key, attested).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
    }
    this.#lookedAt.set(name, new Date(now.getTime() - LOOKED_AGAIN_MS));
  }
}

/** What the operator saw of the log that goes on to count: without what that gateway did not sign. */
function headsOf({ gateway, heads }: DirectiveOf<'expel'>): readonly SignedHead[] {
  return heads.flatMap((text) => {
    const head = reading(() => headFromText(text));
    return head !== undefined && toHex(head.author) === gateway && isSignatureValid(nodeCrypto, head) ? [head] : [];
  });
}

async function readExpulsions(transaction: Transaction, site: string, since: Date | undefined) {
  const arrived = since === undefined ? sql`true` : sql`received_at >= ${since}`;
  const carried = await carriedDirectives(transaction, site, 'expel', arrived);
  const { rows: times } = await sql<{ readonly now: Date }>`select now() as now`.execute(transaction.query);
  return { now: times[0]?.now ?? new Date(0), carried };
}

/** Undefined where it cannot be read: operators sign what they like. */
function reading<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSparcError(error)) return undefined;
    throw error;
  }
}
