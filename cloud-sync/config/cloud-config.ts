import { readFileSync } from 'node:fs';
import { Type, type Static } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';
import { parse, type YAMLParseError } from 'yaml';
import { SparcError } from '@sparc/protocol/errors';
import { problemsIn } from './config-problems.js';

const text = (fallback: string, description: string) => Type.String({ minLength: 1, default: fallback, description });
const port = (fallback: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: fallback, description });
/** A name or an address, without scheme and port: it stands in URLs and certificates. */
export const HOST = '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$|^[0-9A-Fa-f:]{2,45}$';
/** The same, or any address of IPv6, also with the network that it is of. */
const LISTENER = `${HOST}|^(?=(.*:){2})[0-9A-Fa-f:.]{2,45}(%[\\w.-]{1,32})?$`;
const listener = (fallback: string, description: string) =>
  Type.String({ pattern: LISTENER, default: fallback, description });
const flag = (description: string) => Type.Boolean({ default: false, description });
const pem = (description: string) =>
  Type.Optional(Type.String({ pattern: '^-----BEGIN ', description: `${description}, PEM` }));
const span = (fallback: string, description: string) =>
  Type.String({ pattern: '^[1-9]\\d{0,5}[smhd]?$', default: fallback, description });

/** Every variable, with what it means and its default. The file has the same names, and the environment goes first. */
export const CloudConfig = Type.Object(
  {
    DATABASE_URL: Type.String({
      pattern: '^(postgres(ql)?://|pglite:.)',
      default: 'pglite:./data/cloud',
      description: '`postgres://LOGIN@HOST/NAME`, or `pglite:FOLDER` for a database inside the program',
    }),
    DATABASE_POOL_SIZE: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 10,
      description: 'most connections of one process to a server',
    }),
    AUTHORITY_KEYS_DIR: text(
      './data/cloud-keys',
      'folder of the keys that are in no database; every process of the installation has the same',
    ),
    PKCS11_MODULE: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'PKCS#11 module (a shared library) of a token that makes and keeps the keys of site authorities',
      }),
    ),
    PKCS11_TOKEN: Type.Optional(Type.String({ minLength: 1, maxLength: 32, description: 'label of that token' })),
    PKCS11_PIN: Type.Optional(Type.String({ minLength: 1, description: 'PIN of its user; by `PKCS11_PIN_FILE`' })),
    JWT_SECRET: Type.Optional(
      Type.String({
        minLength: 32,
        description:
          'what access tokens are signed with, the same in every process; with a database inside the program one is made and kept in `AUTHORITY_KEYS_DIR`',
      }),
    ),
    JWT_EXPIRES_IN: span('15m', 'how long an access token is good: a number and `s`, `m`, `h` or `d`'),
    REFRESH_TOKEN_EXPIRES_IN: span('30d', 'after how long without use a login ends'),
    HTTP_HOST: listener('127.0.0.1', 'where page and API listen; without TLS, which a proxy brings'),
    HTTP_PORT: port(7700, 'and their port'),
    HTTP_PROXY_HOPS: Type.Integer({
      minimum: 0,
      maximum: 8,
      default: 0,
      description: 'proxies before page and API, whose `X-Forwarded-For` says who calls',
    }),
    ENABLE_CORS: flag('`true`: pages of other origins may use the API, with a token'),
    PUBLIC_HOST: Type.String({
      pattern: HOST,
      default: 'localhost',
      description: 'name or address by which gateways reach this installation',
    }),
    GATEWAY_HOST: listener('0.0.0.0', 'where gateways claim and renew their certificates, over TLS'),
    GATEWAY_PORT: port(7743, 'and its port'),
    MQTT_URL: Type.Optional(
      Type.String({
        pattern: '^mqtts?://[^/?#]',
        description: 'a broker of your own; without it one listens inside the program',
      }),
    ),
    MQTT_CA: pem('what the certificate of your broker leads to'),
    MQTT_CERT: pem('the certificate that this program shows it'),
    MQTT_KEY: pem('and its key'),
    MQTT_HOST: listener('0.0.0.0', 'where the broker inside the program listens'),
    MQTT_PORT: port(7783, 'and its port'),
    PUBLIC_MQTT_PORT: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description:
          'port of the broker as gateways see it, where it is another; has to be named for a broker of your own',
      }),
    ),
    OPERATIONS_HOST: listener('127.0.0.1', 'where `/healthz`, `/readyz` and `/metrics` of the process listen'),
    OPERATIONS_PORT: port(7760, 'and their port'),
    LOG_LEVEL: Type.Unsafe<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'>({
      type: 'string',
      enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      default: 'info',
      description: 'of `trace`, `debug`, `info`, `warn`, `error`, `fatal` and `silent`',
    }),
  },
  {
    additionalProperties: false,
    dependencies: {
      // A broker of one's own listens at a port that nothing here knows, and gateways are told it for years.
      MQTT_URL: ['PUBLIC_MQTT_PORT'],
      MQTT_CA: ['MQTT_URL'],
      MQTT_CERT: ['MQTT_URL', 'MQTT_KEY'],
      MQTT_KEY: ['MQTT_URL', 'MQTT_CERT'],
      PKCS11_MODULE: ['PKCS11_TOKEN', 'PKCS11_PIN'],
      // Somebody who named a token does not want keys in files.
      PKCS11_TOKEN: ['PKCS11_MODULE'],
      PKCS11_PIN: ['PKCS11_MODULE'],
    },
  },
);
export type CloudConfig = Static<typeof CloudConfig>;

/** Names that installations have for other programs, or for what this one does otherwise: taken, and passed over. */
export const UNUSED_VARIABLES = {
  REDIS_URL: 'what processes tell each other goes over the database and the broker',
  S3_BUCKET: 'nothing is stored outside of the database and `AUTHORITY_KEYS_DIR`',
  S3_ENDPOINT: 'as `S3_BUCKET`',
  AWS_REGION: 'as `S3_BUCKET`; where the data of a tenant is to lie stands with the tenant',
} as const;

const NAMES = Object.keys(CloudConfig.properties);
/** Before these, `DATABASE_URL_FILE` names a file that holds the value, so that no password stands in the environment. */
const FILE_SUFFIX = '_FILE';

const ajv = new Ajv({ useDefaults: true, coerceTypes: true, allErrors: true });
const isConfig = ajv.compile<CloudConfig>(CloudConfig);

/**
 * From a YAML file, if one is named, and the environment; variables of other programs are passed over.
 * Throws ERR_CONFIG_UNREADABLE or ERR_CONFIG_INVALID, with every problem and no value.
 */
export function loadCloudConfig(environment: NodeJS.ProcessEnv, file?: string): CloudConfig {
  const config = { ...(file !== undefined && readDocument(file)), ...fromEnvironment(environment) };
  const isFormed = isConfig(config);
  const problems = isFormed ? problemsIn(config) : (isConfig.errors ?? []).map(problemText);
  if (isFormed && problems.length === 0) return config;
  throw new SparcError('ERR_CONFIG_INVALID', problems.join('\n'), { problems });
}

/** In the words of the variable, where those of its schema are none for people. */
function problemText({ instancePath, keyword, params, message }: ErrorObject): string {
  const { additionalProperty: unknown, missingProperty: absent } = params as Readonly<Record<string, string>>;
  if (unknown !== undefined) return `${unknown}: is unknown`;
  const name = absent ?? instancePath.slice(1);
  const isForm = keyword === 'pattern' || keyword === 'enum';
  const { description } = CloudConfig.properties[name as keyof CloudConfig] ?? {};
  return `${name}: ${isForm && description !== undefined ? `is not ${description}` : message}`;
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const given = NAMES.flatMap((name) => {
    const path = environment[`${name}${FILE_SUFFIX}`];
    const value = environment[name] ?? (path === undefined ? undefined : readText(path));
    return value === undefined ? [] : [[name, value.trim()] as const];
  });
  return Object.fromEntries(given);
}

function readDocument(file: string): object {
  try {
    const document: unknown = parse(readText(file));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return used(document);
  } catch (error) {
    if (error instanceof SparcError) throw error;
    const { code, linePos: [{ line }] = [{ line: 1 }] } = error as YAMLParseError;
    throw new SparcError(
      'ERR_CONFIG_INVALID',
      `${file} is no YAML: ${code} in line ${line}`,
      { file },
      { cause: error },
    );
  }
  throw new SparcError('ERR_CONFIG_INVALID', `${file} is no list of names and values`, { file });
}

function used(document: object): object {
  const entries = Object.entries(document).filter(([name]) => !Object.hasOwn(UNUSED_VARIABLES, name));
  const problems = entries.filter(([, value]) => value === null).map(([name]) => `${name}: has no value`);
  if (problems.length === 0) return Object.fromEntries(entries);
  throw new SparcError('ERR_CONFIG_INVALID', problems.join('\n'), { problems });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path}: ${(error as Error).message}`, { path }, { cause: error });
  }
}
