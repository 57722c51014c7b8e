import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { SparcError } from '@sparc/protocol/errors';
import type { CardBits, SimulatedDoor, SimulatedReader } from '../devices/index.js';
import { cardBitsOf, rawCardBits } from '../people/index.js';
import { addFaultRoutes } from './fault-routes.js';
import { closed, found } from './http-parts.js';
import type { LiveMesh } from './live-mesh.js';
import type { LiveSite } from './live-site.js';
import { addMeshRoutes } from './mesh-routes.js';

const EXIT_BUTTON_MS = 500;
const POWER_OFF_MS = 2_000;
/** At most so often does a stream tell of changes. */
const STREAM_PAUSE_MS = 50;
const BODY_SIZE_MAX = 4_096;

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\]):\d{1,5}$/;

const CARD_BODY = {
  oneOf: [
    closed({ cardId: { type: 'string', maxLength: 128 } }, ['cardId']),
    closed(
      {
        facility: { type: 'integer', minimum: 0, maximum: 255 },
        number: { type: 'integer', minimum: 0, maximum: 65_535 },
      },
      ['facility', 'number'],
    ),
    closed(
      {
        bitCount: { type: 'integer', minimum: 1, maximum: 512 },
        bits: { type: 'string', pattern: '^[0-9a-fA-F]{1,128}$' },
      },
      ['bitCount', 'bits'],
    ),
  ],
};
type CardBody =
  | { readonly cardId: string }
  | { readonly facility: number; readonly number: number }
  | { readonly bitCount: number; readonly bits: string };

/** `*` and `#` besides digits. */
const KEYS_BODY = closed({ keys: { type: 'string', pattern: '^[0-9*#]{1,16}$' } }, ['keys']);
const SWITCH_BODY = closed({ tampered: { type: 'boolean' } });

/**
 * What a hand does at the doors of a live site, and to its gateways where it has several, over HTTP on loopback. Only pages
 * of `allowedOrigins` may use it. `bits` of a card are hexadecimal and right-aligned; `facility` and `number` make a 26-bit
 * card.
 */
export function buildControlApi(site: LiveSite, allowedOrigins: readonly string[], mesh?: LiveMesh): FastifyInstance {
  const state = () => ({ ...site.state(), ...mesh?.state() });
  const app = Fastify({
    bodyLimit: BODY_SIZE_MAX,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });

  app.setErrorHandler((error, _request, reply) => {
    const { statusCode, message } = describe(error);
    return reply.code(statusCode).send({ code: error instanceof SparcError ? error.code : undefined, message });
  });
  app.addHook('onRequest', async (request, reply) => {
    const { host, origin } = request.headers;
    if (!LOOPBACK_HOST.test(host ?? '')) throw new SparcError('ERR_SIMULATOR_REFUSED', 'this host is not served here');
    if (origin === undefined) return;
    if (!allowedOrigins.includes(origin)) {
      throw new SparcError('ERR_SIMULATOR_REFUSED', 'pages of this origin may not use the simulator');
    }
    reply.header('access-control-allow-origin', origin).header('vary', 'origin');
  });
  app.options('/*', async (_request, reply) =>
    reply
      .header('access-control-allow-methods', 'GET, POST')
      .header('access-control-allow-headers', 'content-type')
      .code(204)
      .send(),
  );

  app.get('/site', state);
  app.get('/stream', (_request, reply) => stream(site, state, reply));

  const onReader = (action: string, body: object, act: (reader: SimulatedReader, body: unknown) => void) =>
    app.post<{ Params: { id: string } }>(`/readers/:id/${action}`, { schema: { body } }, (request, reply) => {
      act(found(site.readers, request.params.id, 'reader'), request.body);
      return reply.code(204).send();
    });
  onReader('card', CARD_BODY, (reader, body) => reader.presentCard(cardOf(site, body as CardBody)));
  onReader('keys', KEYS_BODY, (reader, body) => reader.pressKeys((body as { keys: string }).keys));
  onReader('tamper', SWITCH_BODY, ({ device }, body) =>
    device.setTampered((body as { tampered?: boolean }).tampered ?? !device.tampered),
  );
  onReader('power-cycle', closed({}), ({ device }) => device.powerCycle(POWER_OFF_MS));

  addFaultRoutes(app, site);
  if (mesh !== undefined) addMeshRoutes(app, mesh);

  const onDoor = (action: string, act: (door: SimulatedDoor) => void) =>
    app.post<{ Params: { id: string } }>(`/doors/:id/${action}`, { schema: { body: closed({}) } }, (request, reply) => {
      act(found(site.doors, request.params.id, 'door'));
      return reply.code(204).send();
    });
  onDoor('open', pulled);
  onDoor('close', (door) => door.close());
  onDoor('hold', (door) => {
    pulled(door);
    door.hold();
  });
  onDoor('force', (door) => door.force());
  onDoor('exit-button', (door) => door.pressExitButton(EXIT_BUTTON_MS));
  return app;
}

function describe(error: unknown): { statusCode: number; message: string } {
  if (error instanceof SparcError) {
    const status = { ERR_SIMULATOR_REFUSED: 403, ERR_SIMULATOR_NOT_FOUND: 404, ERR_SIMULATOR_DOOR_LOCKED: 409 };
    return { statusCode: status[error.code as keyof typeof status] ?? 400, message: error.message };
  }
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  return { statusCode, message: statusCode < 500 ? message : 'the simulator failed' };
}

function pulled(door: SimulatedDoor): void {
  if (!door.pull()) throw new SparcError('ERR_SIMULATOR_DOOR_LOCKED', 'The door is locked.');
}

function cardOf(site: LiveSite, body: CardBody): CardBits {
  if ('cardId' in body) {
    const bits = site.cardBits(body.cardId);
    if (bits === undefined) throw new SparcError('ERR_SIMULATOR_NOT_FOUND', `there is no card called ${body.cardId}`);
    return bits;
  }
  if ('bits' in body) return rawCardBits(body.bitCount, body.bits);
  return cardBitsOf({ format: 'h10301', ...body });
}

/** Server-sent events: the whole state once, and again after changes. */
function stream(site: LiveSite, state: () => object, reply: FastifyReply): void {
  let timer: NodeJS.Timeout | undefined;
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { ...headersOf(reply), 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = () => {
    timer = undefined;
    raw.write(`data: ${JSON.stringify(state())}\n\n`);
  };
  const unwatch = site.watch(() => {
    timer ??= setTimeout(send, STREAM_PAUSE_MS);
  });
  raw.on('close', () => {
    unwatch();
    clearTimeout(timer);
  });
  send();
}

function headersOf(reply: FastifyReply): Record<string, string> {
  const origin = reply.getHeader('access-control-allow-origin');
  return typeof origin === 'string' ? { 'access-control-allow-origin': origin, vary: 'origin' } : {};
}
