import cors from '@fastify/cors';
import jwt from '@fastify/jwt';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify';
import { ERRORS, SparcError } from '@sparc/protocol/errors';
import { EVENTS, REASON_TEXTS } from '@sparc/protocol/events';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { SiteAuthorities } from '../authority/index.js';
import type { Database } from '../db/index.js';
import { nodeCrypto } from '../platform/index.js';
import type { Enrolment } from '../enrolment/index.js';
import type { GatewayRequests } from '../link/index.js';
import { SiteFollowers } from '../sites/index.js';
import { Sessions, type Session } from '../users/index.js';
import { addConsoleRoutes } from './console-routes.js';
import { addDirectiveRoutes } from './directive-routes.js';
import { addEnrolmentRoutes } from './enrolment-routes.js';
import { asApiError, errorReply } from './error-reply.js';
import { addEventRoutes } from './event-routes.js';
import { EventStreams } from './event-streams.js';
import { addGatewayRoutes } from './gateway-routes.js';
import { addHealthRoutes, type PartHealth } from './health-routes.js';
import { addLoginRoutes } from './login-routes.js';
import { addOperatorRoutes } from './operator-routes.js';
import { addPolicyRoutes } from './policy-routes.js';
import { addSiteRoutes } from './site-routes.js';
import { addUserRoutes } from './user-routes.js';

export interface ApiDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly database: Database;
  readonly sites: SiteAuthorities;
  readonly enrolment: Enrolment;
  readonly requests: Pick<GatewayRequests, 'direct'>;
  /** 32 bytes: what cards and PINs of drafts are sealed under. */
  readonly secret: Uint8Array;
  readonly log: FastifyBaseLogger;
  readonly health: () => readonly PartHealth[];
  /** A request was answered, with this HTTP status. */
  readonly onAnswer: (status: number) => void;
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
const REQUEST_TIMEOUT_MS = 30_000;

/** The API of the cloud; `listen` is the caller's. All but login and health takes a token. */
export async function buildApi(deps: ApiDeps, options: ApiOptions): Promise<FastifyInstance> {
  const { clock, random, database, sites, enrolment, requests, secret, log, health } = deps;
  const fail = (error: unknown, reply: FastifyReply) => {
    const refused = asApiError(error);
    if (refused.code === 'ERR_API_INTERNAL') log.error({ err: refused.cause }, 'a request failed');
    const { retryAfterS } = refused.details;
    if (typeof retryAfterS === 'number') reply.header('retry-after', retryAfterS);
    const { status, body } = errorReply(refused);
    return reply.code(status).send(body);
  };
  const api = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    trustProxy: (_address, hop) => hop < options.proxyHops,
    ajv: { customOptions: { removeAdditional: false } },
    http: { maxHeaderSize: 8_192, headersTimeout: REQUEST_TIMEOUT_MS },
    frameworkErrors: (error, _request, reply) => void fail(error, reply),
  });
  api.setErrorHandler((error, _request, reply) => fail(error, reply));
  api.setNotFoundHandler((request, reply) =>
    fail(new SparcError('ERR_API_NOT_FOUND', `${request.method} ${request.url} is not here`), reply),
  );
  await api.register(jwt, {
    secret: options.jwtSecret,
    sign: { expiresIn: options.accessMs / 1_000, algorithm: 'HS256' },
  });
  if (options.isCrossOrigin)
    await api.register(cors, { origin: true, methods: METHODS, exposedHeaders: ['etag', 'retry-after'] });

  const sessions = new Sessions({ database, clock, random }, options.refreshMs);
  api.decorateRequest('identity');
  api.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    // By the route and not by the address, which can be written in many ways.
    if (request.is404 || request.routeOptions.config.isOpen === true) return;
    reply.header('cache-control', 'no-store');
    request.identity = await sessions.identity(await sessionOf(request.jwtVerify<Session>()));
  });

  api.addHook('onResponse', async (_request, { statusCode }) => deps.onAnswer(statusCode));

  addHealthRoutes(api, health);
  addLoginRoutes(api, { clock, random, database, sessions, accessMs: options.accessMs });
  addUserRoutes(api, { random, database });
  addSiteRoutes(api, { database, sites });
  addOperatorRoutes(api, { sites });
  addDirectiveRoutes(api, { database, requests });
  addEnrolmentRoutes(api, { enrolment });
  addPolicyRoutes(api, { database, sites, secret });
  const followers = new SiteFollowers({
    ...{ clock, database, verify: nodeCrypto.verify },
    onFailure: (error, what) => log.error({ err: error }, what),
  });
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

/** Of every answer. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

async function sessionOf(verified: Promise<Session>): Promise<Session> {
  try {
    return await verified;
  } catch (error) {
    throw new SparcError('ERR_API_TOKEN_REFUSED', (error as Error).message, {}, { cause: error });
  }
}
