import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApi, type ApiOptions } from '@sparc/cloud-sync/api';
import { SiteAuthorities } from '@sparc/cloud-sync/authority';
import type { Database } from '@sparc/cloud-sync/db';
import { FileAuthorityKeys } from '@sparc/cloud-sync/identity';
import type { RequestResult } from '@sparc/cloud-sync/link';
import { nodeCrypto, nodePartTools, nodeRandom } from '@sparc/cloud-sync/platform';
import { createUser, type Role } from '@sparc/cloud-sync/users';
import type { Carrier, Trial, TriedDecision } from '@sparc/protocol/cloud-link';
import type { SignedDirective } from '@sparc/protocol/directive';
import type { Clock } from '@sparc/protocol/ports';
import { openEnrolment } from './cloud-enrolment.js';

export interface Answer {
  readonly status: number;
  /** Whatever it is: the test says what it has to be. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Record<string, unknown>;
}

const OPTIONS: ApiOptions = {
  jwtSecret: 'a secret of a test, long enough to be one',
  accessMs: 900_000,
  refreshMs: 3_600_000,
  isCrossOrigin: false,
  proxyHops: 1,
};
export const PASSWORD = 'correct horse battery staple';

export const DECISION: TriedDecision = {
  outcome: 'denied',
  reason: 'outside_schedule',
  alsoFailed: ['use_limit'],
  flags: [],
  policyRevision: '7',
  atUnixMs: 1_700_000_000_000,
};

/** The API over a database, and whoever asks it. */
export class CloudApi {
  /** What gateways answer to what is directed. */
  directedAnswer: RequestResult = { outcome: 'unheard' };

  private constructor(
    readonly app: FastifyInstance,
    private readonly database: Database,
    /** What was given to gateways. */
    readonly directed: readonly SignedDirective[],
    /** What gateways were asked, of which all say `DECISION`. */
    readonly tried: readonly Trial[],
  ) {}

  /** `keys`: a folder for the keys of sites. */
  static async build(
    t: { teardown(undo: () => unknown): void },
    { database, clock, keys }: { readonly database: Database; readonly clock: Clock; readonly keys: string },
  ): Promise<CloudApi> {
    const sites = new SiteAuthorities({
      ...{ clock, random: nodeRandom, crypto: nodeCrypto, database, partTools: nodePartTools },
      keys: new FileAuthorityKeys(keys, nodeRandom),
    });
    const secret = new Uint8Array(32).fill(5);
    const enrolment = await openEnrolment(keys, { clock, random: nodeRandom, database, authorities: sites });
    const directed: SignedDirective[] = [];
    const tried: Trial[] = [];
    const requests = {
      direct(_carrier: Carrier, directive: SignedDirective) {
        directed.push(directive);
        return Promise.resolve(made.directedAnswer);
      },
      tryOut(_carrier: Carrier, trial: Trial) {
        tried.push(trial);
        return Promise.resolve({ outcome: 'decided' as const, decision: DECISION });
      },
    };
    const shared = { clock, random: nodeRandom, database, sites, enrolment, requests, secret };
    const log = pino({ level: 'silent' });
    const app = await buildApi({ ...shared, log, health: () => [], onAnswer: () => undefined }, OPTIONS);
    t.teardown(() => app.close());
    const made = new CloudApi(app, database, directed, tried);
    return made;
  }

  async user(tenant: string, name: string, role: Role): Promise<void> {
    await createUser(this.database, nodeRandom, { tenant, name: 'test' }, { name, role, password: PASSWORD });
  }

  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: object,
    token?: string,
    from = '192.0.2.1',
  ): Promise<Answer> {
    const { statusCode, headers, payload } = await this.app.inject({
      method,
      url,
      ...(body !== undefined && { payload: body }),
      headers: { 'x-forwarded-for': from, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    });
    return { status: statusCode, headers, body: payload === '' ? undefined : JSON.parse(payload) };
  }

  /** What a login answers. */
  login(name: string, password = PASSWORD): Promise<Answer> {
    return this.call('POST', '/api/v1/login', { name, password });
  }

  /** An access token of a user of this role, who is made. */
  async tokenOf(tenant: string, name: string, role: Role): Promise<string> {
    await this.user(tenant, name, role);
    return (await this.login(name)).body.accessToken as string;
  }
}
