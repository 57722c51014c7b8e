import type { IncomingMessage } from 'node:http';
import type { Server as TlsServer, ServerOptions as TlsOptions } from 'node:https';
import type { Readable } from 'node:stream';
import { Ajv } from 'ajv';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifySchemaCompiler,
} from 'fastify';
import type { Clock } from '@sparc/protocol/ports';
import { asApiError, SparcError } from '@sparc/protocol/errors';
import { errorReply } from './error-reply.js';
import { PacedBody } from './paced-body.js';

export interface AppDeps {
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
  /** A request was answered, with this HTTP status. */
  readonly onAnswer: (status: number) => void;
}

export interface AppLimits {
  readonly bodyBytesMax: number;
  /** Proxies between callers and it, each of which says whom it speaks for. Default: none. */
  readonly proxyHops?: number;
}

const HEADERS_MAX_MS = 30_000;
const HEADER_BYTES_MAX = 8_192;

/** Of every answer. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** An application without routes, over HTTP: what is wrong with a request is answered as `ErrorReply` says. */
export function newApp(deps: AppDeps, limits: AppLimits): FastifyInstance;
/** The same over TLS. */
export function newApp(deps: AppDeps, limits: AppLimits, tls: TlsOptions): FastifyInstance<TlsServer>;
export function newApp(
  deps: AppDeps,
  limits: AppLimits,
  tls?: TlsOptions,
): FastifyInstance | FastifyInstance<TlsServer> {
  const { clock, log, onAnswer } = deps;
  const { bodyBytesMax, proxyHops = 0 } = limits;
  const fail = (error: unknown, reply: FastifyReply) => {
    const refused = asApiError(error);
    if (refused.code === 'ERR_API_INTERNAL') log.error({ err: refused.cause }, 'a request failed');
    const { retryAfterS } = refused.details;
    if (typeof retryAfterS === 'number') reply.header('retry-after', retryAfterS);
    const { status, body } = errorReply(refused);
    return reply.code(status).send(body);
  };
  const server = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_MAX_MS };
  const app = Fastify({
    ...(tls === undefined ? { http: server } : { https: { ...tls, ...server } }),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
    trustProxy: (_address: string, hop: number) => hop < proxyHops,
    frameworkErrors: (error: unknown, _request: unknown, reply: FastifyReply) => void fail(error, reply),
  }) as FastifyInstance;
  app.setValidatorCompiler(validatorCompiler());
  app.setErrorHandler((error, _request, reply) => fail(error, reply));
  app.setNotFoundHandler((request, reply) =>
    fail(new SparcError('ERR_API_NOT_FOUND', `${request.method} ${request.url} is not here`), reply),
  );
  app.addHook('onRequest', async (_request, reply) => void reply.headers(HEADERS));
  app.addHook('preParsing', async ({ raw }, _reply, body) =>
    hasBody(raw) ? new PacedBody(clock, body as Readable) : body,
  );
  app.addHook('onSend', async ({ raw }, reply) => {
    // Nobody reads the rest of a body that is not wanted.
    if (hasBody(raw) && !raw.complete) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (_request, { statusCode }) => onAnswer(statusCode));
  return app;
}

/** A body of JSON has types of its own, in which `null` is no `false`; all else comes as text. */
function validatorCompiler(): FastifySchemaCompiler<object> {
  const ofBodies = new Ajv({ useDefaults: true });
  const ofTexts = new Ajv({ useDefaults: true, coerceTypes: 'array' });
  return ({ schema, httpPart }) => (httpPart === 'body' ? ofBodies : ofTexts).compile(schema);
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
