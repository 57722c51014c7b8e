import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '@sparc/protocol/ports';
import type { SiteAuthorities } from '../authority/index.js';
import { expireEvents, listTenants, makeMonthsAhead, type Database } from '../db/index.js';
import { OperatorExpulsions, type Enrolment } from '../enrolment/index.js';
import { isHalted, MEMBER_STATES } from '../identity/index.js';
import { toHex } from '../platform/index.js';
import { absorbRevocations } from '../policy/index.js';
import { expireSessions } from '../users/index.js';
import type { Job } from './scheduler.js';

export interface JobsDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly authorities: SiteAuthorities;
  readonly enrolment: Enrolment;
  readonly log: FastifyBaseLogger;
  readonly onFailure: (error: unknown, what: string) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How often gateways hear that their policy is still the newest one. */
export const CONFIRM_EVERY_MS = HOUR_MS;
/** How soon the cloud puts out whom an operator expelled at the site. */
export const EXPULSIONS_EVERY_MS = 30_000;
/** How soon the draft of a policy says whom an operator revoked at the site, where nobody looks at it. */
export const REVOCATIONS_EVERY_MS = 60_000;
/** Gateways renew a certificate long before; of one that has not, a person is told. */
export const CERTIFICATE_WARNING_MS = 14 * DAY_MS;

export function jobsOf({ clock, database, authorities, enrolment, log, onFailure }: JobsDeps): readonly Job[] {
  const expulsions = new OperatorExpulsions({ database, authorities, enrolment });
  return [
    { name: 'months', everyMs: DAY_MS, run: () => makeMonthsAhead(database) },
    { name: 'retention', everyMs: DAY_MS, run: (signal) => expireEvents(database, signal) },
    { name: 'logins', everyMs: HOUR_MS, run: () => expireSessions(database) },
    { name: 'confirmations', everyMs: CONFIRM_EVERY_MS, run: (signal) => eachTenant(signal, confirmPolicies) },
    { name: 'expulsions', everyMs: EXPULSIONS_EVERY_MS, run: (signal) => eachTenant(signal, foldExpulsions) },
    { name: 'revocations', everyMs: REVOCATIONS_EVERY_MS, run: (signal) => eachTenant(signal, absorb) },
    { name: 'certificates', everyMs: DAY_MS, run: (signal) => eachTenant(signal, warnOfCertificates) },
  ];

  async function eachTenant(signal: AbortSignal, work: (tenant: string) => Promise<void>): Promise<void> {
    for (const { id } of await listTenants(database)) {
      if (signal.aborted) return;
      await work(id);
    }
  }

  function confirmPolicies(tenant: string): Promise<void> {
    const confirm = (site: string) => authorities.of(tenant, site).confirm();
    return eachAuthority(tenant, 'the policy of a site is not confirmed', confirm);
  }

  function foldExpulsions(tenant: string): Promise<void> {
    const fold = (site: string) => expulsions.fold(tenant, site);
    return eachAuthority(tenant, 'whom an operator expelled is not put out', fold);
  }

  function absorb(tenant: string): Promise<void> {
    const absorbed = (site: string) =>
      absorbRevocations({ database, tenant, site, authority: authorities.of(tenant, site) });
    return eachAuthority(tenant, 'whom an operator revoked is not in the draft', absorbed);
  }

  /** Of those that sign. Of a site that cannot be spoken for, the others hear all the same. */
  async function eachAuthority(tenant: string, what: string, work: (site: string) => Promise<unknown>): Promise<void> {
    const sites = await database.inTenant(tenant, ({ query }) =>
      query
        .selectFrom('site_authorities')
        .select('site_id')
        .where((site) => site.not(isHalted))
        .execute(),
    );
    for (const { site_id: site } of sites) await work(site).catch((error: unknown) => onFailure(error, what));
  }

  async function warnOfCertificates(tenant: string): Promise<void> {
    const ending = await database.inTenant(tenant, ({ query }) =>
      query
        .selectFrom('gateway_certificates')
        .innerJoin('gateways', 'gateways.id', 'gateway_certificates.gateway_id')
        .select(['gateways.id', 'gateways.site_id', 'gateways.name'])
        .select(({ fn }) => fn.max('not_after').as('endsAt'))
        .where('gateways.state', 'in', MEMBER_STATES)
        .where('revoked_at', 'is', null)
        .groupBy(['gateways.tenant_id', 'gateways.id'])
        .having(({ fn }) => fn.max('not_after'), '<', new Date(clock.wall().unixMs + CERTIFICATE_WARNING_MS))
        .execute(),
    );
    for (const { id, site_id: site, name, endsAt } of ending) {
      log.warn({ tenant, site, gateway: toHex(id), name, endsAt }, 'the certificate of a gateway ends soon');
    }
  }
}
