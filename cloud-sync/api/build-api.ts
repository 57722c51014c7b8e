import cors from '@fastify/cors';
import jwt from '@fastify/jwt';
import type { FastifyInstance } from 'fastify';
import { ERRORS, SparcError } from '@sparc/protocol/errors';
import { EVENTS, REASON_TEXTS } from '@sparc/protocol/events';
import type { Random } from '@sparc/protocol/ports';
import type { SiteAuthorities } from '../authority/index.js';
import type { Database } from '../db/index.js';
import { nodeCrypto } from '../platform/index.js';
import type { Enrolment } from '../enrolment/index.js';
import type { GatewayRequests } from '../link/index.js';
import { SiteFollowers } from '../sites/index.js';
import { Sessions, type Session } from '../users/index.js';
import { addConsoleRoutes } from './console-routes.js';
import { addDecisionRoutes } from './decision-routes.js';
import { addDirectiveRoutes } from './directive-routes.js';
import { addEnrolmentRoutes } from './enrolment-routes.js';
import { addEventRoutes } from './event-routes.js';
import { EventStreams } from './event-streams.js';
import { addGatewayRoutes } from './gateway-routes.js';
import { addHealthRoutes, type PartHealth } from './health-routes.js';
import { addLoginRoutes } from './login-routes.js';
import { newApp, type AppDeps } from './new-app.js';
import { addOperatorRoutes } from './operator-routes.js';
import { addPolicyRoutes } from './policy-routes.js';
import { addSiteRoutes } from './site-routes.js';
import { addUserRoutes } from './user-routes.js';

export interface ApiDeps extends AppDeps {
  readonly random: Random;
  readonly database: Database;
  readonly sites: SiteAuthorities;
  readonly enrolment: Enrolment;
  readonly requests: Pick<GatewayRequests, 'direct' | 'tryOut'>;
  /** 32 bytes: what cards and PINs of drafts are sealed under, and keys of the cloud are made of. */
  readonly secret: Uint8Array;
  readonly health: () => readonly PartHealth[];
}

export interface ApiOptions {
  /** What access tokens are signed with: 32 characters or more. */
  readonly jwtSecret: string;
  /** How long an access token is good, and how long a login lasts without use. */
  readonly accessMs: number;
  readonly refreshMs: number;
  /** Pages of other origins may use it; they need a token as everybody does. */
  readonly isCrossOrigin: boolean;
  /** Proxies between people and it, each of which says whom it speaks for. */
  readonly proxyHops: number;
}

const BODY_BYTES_MAX = 1_048_576;

/** The API of the cloud; `listen` is the caller's. All but login and health takes a token. */
export async function buildApi(deps: ApiDeps, options: ApiOptions): Promise<FastifyInstance> {
  const { clock, random, database, sites, enrolment, requests, secret, log, health } = deps;
  const api = newApp(deps, { bodyBytesMax: BODY_BYTES_MAX, proxyHops: options.proxyHops });
  await api.register(jwt, {
    secret: options.jwtSecret,
    sign: { expiresIn: options.accessMs / 1_000, algorithm: 'HS256' },
  });
  if (options.isCrossOrigin)
    await api.register(cors, { origin: true, methods: METHODS, exposedHeaders: ['etag', 'retry-after'] });

  const sessions = new Sessions({ database, clock, random }, options.refreshMs);
  api.decorateRequest('identity');
  api.addHook('onRequest', async (request, reply) => {
    // By the route and not by the address, which can be written in many ways.
    if (request.is404 || request.routeOptions.config.isOpen === true) return;
    reply.header('cache-control', 'no-store');
    request.identity = await sessions.identity(await sessionOf(request.jwtVerify<Session>()));
  });

  const followers = new SiteFollowers({
    ...{ clock, database, verify: nodeCrypto.verify },
    onFailure: (error, what) => log.error({ err: error }, what),
  });
  addHealthRoutes(api, health);
  addLoginRoutes(api, { clock, random, database, sessions, accessMs: options.accessMs });
  addUserRoutes(api, { random, database });
  addSiteRoutes(api, { database, sites });
  addOperatorRoutes(api, { followers, sites, secret });
  addDirectiveRoutes(api, { clock, database, requests, secret });
  addDecisionRoutes(api, { database, requests });
  addEnrolmentRoutes(api, { enrolment });
  addPolicyRoutes(api, { database, sites, secret });
  const streams = new EventStreams(clock);
  api.addHook('preClose', async () => {
    followers.stop();
    streams.close();
  });
  addGatewayRoutes(api, { clock, database, followers });
  addEventRoutes(api, { database, followers, streams, isLoggedIn: (session) => sessions.isGoing(session) });
  addConsoleRoutes(api);
  api.get('/api/v1/catalogue', async () => ({ errors: ERRORS, events: EVENTS, reasons: REASON_TEXTS }));
  return api;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

async function sessionOf(verified: Promise<Session>): Promise<Session> {
  try {
    return await verified;
  } catch (error) {
    throw new SparcError('ERR_API_TOKEN_REFUSED', (error as Error).message, {}, { cause: error });
  }
}
