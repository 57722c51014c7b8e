import { isIP } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { documentError, type JsonPath, type Problem } from '@sparc/protocol/document';
import { BAUD_RATES } from '@sparc/protocol/osdp';
import { DEFAULTS } from './defaults.js';
import { loadDocument } from './load-document.js';
import { meshConfig, meshProblems, meshSchema, type MeshConfig } from './mesh-config.js';
import { readTextFile } from './text-file.js';

const closed = <T extends TProperties>(properties: T, options: { default?: object } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

const Id = Type.String({
  pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
  description: 'up to 64 lower-case letters, digits, dots, dashes or underscores, a letter or digit first',
});
const PublicKey = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'an Ed25519 public key, 64 hexadecimal digits',
});
const RecoveryKey = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'the public key that `sparc site recovery-key` prints (43 characters)',
});
const Port = (minimum: 0 | 1) => Type.Integer({ minimum, maximum: 65_535 });

const BaudRate = Type.Union(BAUD_RATES.map((rate) => Type.Literal(rate)));

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const serialBus = closed({
  id: Id,
  serial: closed({ path: Type.String({ minLength: 1 }), baudRate: Type.Optional(BaudRate) }),
});
const tcpBus = closed({
  id: Id,
  tcp: closed({ host: Type.String({ minLength: 1 }), port: Port(1), baudRate: Type.Optional(BaudRate) }),
});

export const gatewayConfigSchema = closed({
  gateway: closed({ name: Type.String({ minLength: 1, maxLength: 128 }) }),
  dataDir: Type.String({ minLength: 1, default: DEFAULTS.dataDir }),
  osdpKeysFile: Type.Optional(Type.String({ minLength: 1 })),
  escrow: Type.Optional(closed({ recoveryKey: RecoveryKey, path: Type.Optional(Type.String({ minLength: 1 })) })),
  readerBundles: Type.Optional(closed({ signers: Type.Array(PublicKey, { minItems: 1, maxItems: 16 }) })),
  buses: Type.Array(Type.Union([serialBus, tcpBus]), { maxItems: 16 }),
  api: closed(
    {
      host: Type.String({ minLength: 1, default: DEFAULTS.apiHost }),
      port: Type.Integer({ minimum: 0, maximum: 65_535, default: DEFAULTS.apiPort }),
    },
    { default: {} },
  ),
  host: Type.Optional(
    closed({
      url: Type.String({ minLength: 1, maxLength: 1_024 }),
      tokenFile: Type.String({ minLength: 1 }),
    }),
  ),
  mesh: Type.Optional(meshSchema),
  console: Type.Optional(closed({ simulatorUrl: Type.Optional(Type.String({ minLength: 1 })) })),
  log: closed(
    {
      level: Type.Union(
        LOG_LEVELS.map((level) => Type.Literal(level)),
        { default: DEFAULTS.logLevel },
      ),
    },
    { default: {} },
  ),
});
type RawConfig = Static<typeof gatewayConfigSchema>;

export type BusConfig =
  | { readonly id: string; readonly serial: { readonly path: string; readonly baudRate: number } }
  | {
      readonly id: string;
      /** `baudRate`: of the line behind the converter, which only the converter can change; undefined: nobody says. */
      readonly tcp: { readonly host: string; readonly port: number; readonly baudRate?: number };
    };

/** Bits a second. */
export const baudRateOf = (bus: BusConfig): number =>
  ('serial' in bus ? bus.serial.baudRate : bus.tcp.baudRate) ?? DEFAULTS.baudRate;

/** A gateway's own configuration; every path absolute. What decides who may enter is the site file's matter. */
export interface GatewayConfig {
  readonly gateway: { readonly name: string };
  readonly dataDir: string;
  readonly osdpKeysFile?: string;
  /** To whom key changes are sealed (X25519 public key, 32 bytes), and where a second copy goes. */
  readonly escrow?: { readonly recoveryKey: Uint8Array; readonly path?: string };
  /** Raw Ed25519 public keys of those whose reader bundles are trusted. */
  readonly bundleSigners: readonly Uint8Array[];
  readonly buses: readonly BusConfig[];
  readonly api: { readonly host: string; readonly port: number };
  /** Who has a say in passages where an access point asks it, and the file with its bearer token. */
  readonly host?: { readonly url: string; readonly tokenFile: string };
  /** Absent: the gateway speaks to no other. */
  readonly mesh?: MeshConfig;
  readonly console: { readonly simulatorUrl?: string };
  readonly log: { readonly level: (typeof LOG_LEVELS)[number] };
}

const SIZE_MAX_BYTES = 1_048_576;
/** The gateway tells the others of its site in one detail of an event which buses it serves. */
const BUS_IDS_LENGTH_MAX = 1_024;

/** Reads and validates. Throws ERR_CONFIG_UNREADABLE, or ERR_CONFIG_INVALID with every problem at once. */
export function loadGatewayConfig(path: string): GatewayConfig {
  return parseGatewayConfig(readTextFile(path, SIZE_MAX_BYTES), path);
}

/** As `loadGatewayConfig`, on a text; paths in it are relative to the folder of `path`. */
export function parseGatewayConfig(text: string, path: string): GatewayConfig {
  const fileName = basename(path);
  const { value, source } = loadDocument(gatewayConfigSchema, text, fileName);
  const problems: Problem[] = [];
  const refuse = (at: JsonPath, message: string) => problems.push(source.problem('ERR_CONFIG_INVALID', at, message));

  const lines = new Map<string, number>();
  const ids = new Map<string, number>();
  for (const [index, bus] of value.buses.entries()) {
    const line = 'serial' in bus ? bus.serial.path : `${bus.tcp.host}:${bus.tcp.port}`;
    const sameId = ids.get(bus.id);
    const sameLine = lines.get(line);
    if (sameId !== undefined) refuse(['buses', index, 'id'], `is the id of buses[${sameId}] already`);
    if (sameLine !== undefined) refuse(['buses', index], `uses ${line}, which buses[${sameLine}] has already`);
    ids.set(bus.id, index);
    lines.set(line, index);
  }
  if (value.buses.reduce((sum, { id }) => sum + id.length + 1, 0) > BUS_IDS_LENGTH_MAX) {
    refuse(['buses'], `have ids of more than ${BUS_IDS_LENGTH_MAX} characters together`);
  }
  if (!isLoopback(value.api.host)) {
    refuse(
      ['api', 'host'],
      'must be a loopback address (127.0.0.1, ::1 or localhost): the API has no login, so it is not offered to a network. To reach it from elsewhere use a tunnel such as `ssh -L`',
    );
  }
  if (value.console?.simulatorUrl !== undefined && !isLoopbackUrl(value.console.simulatorUrl)) {
    refuse(['console', 'simulatorUrl'], 'must be an http address on loopback, such as http://127.0.0.1:9000');
  }
  const hostProblem = value.host && hostUrlProblem(value.host.url);
  if (hostProblem !== undefined) refuse(['host', 'url'], hostProblem);
  for (const { at, message } of value.mesh ? meshProblems(value.mesh) : []) refuse(['mesh', ...at], message);
  if (problems.length > 0) throw documentError('ERR_CONFIG_INVALID', fileName, problems);
  return resolved(value, dirname(resolve(path)));
}

function resolved(value: RawConfig, folder: string): GatewayConfig {
  const { osdpKeysFile, escrow, host } = value;
  const simulatorUrl = value.console?.simulatorUrl;
  return {
    gateway: value.gateway,
    dataDir: resolve(folder, value.dataDir),
    ...(osdpKeysFile === undefined ? {} : { osdpKeysFile: resolve(folder, osdpKeysFile) }),
    ...(escrow === undefined ? {} : { escrow: resolvedEscrow(escrow, folder) }),
    bundleSigners: (value.readerBundles?.signers ?? []).map((key) => Uint8Array.from(Buffer.from(key, 'hex'))),
    buses: value.buses.map((bus) =>
      'tcp' in bus
        ? { id: bus.id, tcp: tcpOf(bus.tcp) }
        : { id: bus.id, serial: { path: bus.serial.path, baudRate: bus.serial.baudRate ?? DEFAULTS.baudRate } },
    ),
    api: value.api,
    ...(host === undefined ? {} : { host: { url: host.url, tokenFile: resolve(folder, host.tokenFile) } }),
    ...(value.mesh && { mesh: meshConfig(value.mesh) }),
    console: simulatorUrl === undefined ? {} : { simulatorUrl },
    log: value.log,
  };
}

const tcpOf = ({ host, port, baudRate }: Extract<RawConfig['buses'][number], { tcp: object }>['tcp']) =>
  baudRate === undefined ? { host, port } : { host, port, baudRate };

function resolvedEscrow({ recoveryKey, path }: NonNullable<RawConfig['escrow']>, folder: string) {
  return {
    recoveryKey: Uint8Array.from(Buffer.from(recoveryKey, 'base64url')),
    ...(path === undefined ? {} : { path: resolve(folder, path) }),
  };
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
}

function isLoopbackUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** An answer opens a door, so it is believed only from whom TLS vouches for; and the field's process looks up no names. */
function hostUrlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hostName = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (isIP(hostName) === 0) {
    return 'must be an address with an IP number, such as https://10.0.0.5/authorise: looking up a name can take seconds, and the readers would wait for it';
  }
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(hostName))) return undefined;
  return 'must be https: without it anybody on the network could answer. Plain http is for loopback only';
}
