import { Ajv } from 'ajv';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifySchemaCompiler } from 'fastify';
import { ERRORS, asApiError, SparcError } from '@sparc/protocol/errors';
import { EVENTS, REASON_TEXTS } from '@sparc/protocol/events';
import type { Places } from '../../policy/index.js';
import { MeshView } from '../mesh-view.js';
import { addCommissioningRoutes } from './commissioning-routes.js';
import { addDeliveryRoutes, type DeliveryViews } from './delivery-routes.js';
import { addDirectiveRoutes } from './directive-routes.js';
import { addOrderRoutes } from './order-routes.js';
import { consoleFiles } from './console-files.js';
import { errorReply } from './error-reply.js';
import type { EventLog, EventRange } from './event-log.js';
import type { EventStreams } from './event-streams.js';
import type { FieldRequests } from './field-requests.js';
import * as schemas from './schemas.js';
import { assertLoopbackHost, securityHeaders } from './security.js';
import type { SiteState } from './site-state.js';

export interface ApiDeps {
  readonly state: SiteState;
  readonly log: EventLog;
  readonly streams: EventStreams;
  readonly requests: FieldRequests;
  readonly mesh: () => MeshView;
  readonly delivery: DeliveryViews;
  /** Throws a SparcError. */
  readonly places: () => Places;
  readonly logLevel: string;
  readonly simulatorUrl?: string;
}

/** Enough for a page in every browser of a site; more wait in the kernel's backlog. */
const CONNECTIONS_MAX = 256;
const REQUEST_TIMEOUT_MS = 10_000;

/** Builds the API; `listen` is the caller's. Read-only but for commissioning and orders, whose requests the field checks. */
export function buildApi({
  state,
  log,
  streams,
  requests,
  mesh,
  delivery,
  places,
  logLevel,
  simulatorUrl,
}: ApiDeps): FastifyInstance {
  const headers = securityHeaders(simulatorUrl);
  const fail = (error: unknown, reply: FastifyReply) => {
    const refused = asApiError(error);
    if (refused.code === 'ERR_API_INTERNAL') api.log.error({ err: refused.cause }, 'a request failed');
    const { status, body } = errorReply(refused);
    return reply.code(status).headers(headers).send(body);
  };
  const api = Fastify({
    logger: { level: logLevel, base: { part: 'site' } },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 4_096,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: 8_192, headersTimeout: REQUEST_TIMEOUT_MS },
    frameworkErrors: (error, _request, reply) => void fail(error, reply),
  });
  api.server.maxConnections = CONNECTIONS_MAX;
  api.setValidatorCompiler(validatorCompiler());
  api.setErrorHandler((error, _request, reply) => fail(error, reply));
  api.setNotFoundHandler((request, reply) =>
    fail(new SparcError('ERR_API_NOT_FOUND', `${request.method} ${request.url} is not here`), reply),
  );
  api.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    assertLoopbackHost(request.headers.host);
  });

  const answers = (ok: object) => ({ response: { 200: ok, '4xx': schemas.errorSchema, '5xx': schemas.errorSchema } });
  const noStore = { 'cache-control': 'no-store' };

  api.get('/healthz', { schema: answers(schemas.healthSchema) }, async (_request, reply) => {
    state.assertCurrent();
    return reply.headers(noStore).send({ status: 'ok' });
  });
  api.get('/api/site', { schema: answers(schemas.siteSchema) }, async (_request, reply) =>
    reply.headers(noStore).send(state.view()),
  );
  api.get<{ Querystring: EventRange }>(
    '/api/events',
    { schema: { querystring: schemas.eventsQuerySchema, ...answers(schemas.eventsSchema) } },
    async (request, reply) => reply.headers(noStore).send({ events: log.read(request.query) }),
  );
  api.get('/api/mesh', { schema: answers(MeshView) }, async (_request, reply) => reply.headers(noStore).send(mesh()));
  api.get('/api/catalogue', { schema: answers(schemas.catalogueSchema) }, async () => ({
    errors: ERRORS,
    events: EVENTS,
    reasons: REASON_TEXTS,
  }));
  api.get('/api/stream', async (_request, reply) => {
    const states = { site: state.view(), commissioning: state.commissioning() };
    streams.open(reply.raw, headers, { ...states, mesh: mesh(), delivery: delivery.delivery() });
    return reply.hijack();
  });
  addDeliveryRoutes(api, { state, mesh, delivery, places, answers });
  addCommissioningRoutes(api, { state, requests });
  addOrderRoutes(api, requests);
  addDirectiveRoutes(api, { requests, mesh }, answers);
  for (const { path, contentType, etag, bytes } of consoleFiles()) {
    api.get(path, async (request, reply) => {
      reply.headers({ etag, 'cache-control': 'no-cache' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type(contentType).send(bytes);
    });
  }
  return api;
}

/** A body of JSON has types of its own, in which `null` is no `false`; all else comes as text. */
function validatorCompiler(): FastifySchemaCompiler<object> {
  const ofBodies = new Ajv({ useDefaults: true });
  const ofTexts = new Ajv({ useDefaults: true, coerceTypes: 'array' });
  return ({ schema, httpPart }) => (httpPart === 'body' ? ofBodies : ofTexts).compile(schema);
}
