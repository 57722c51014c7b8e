import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import pg from 'pg';
import { spanMs } from './span.js';
import type { CloudConfig } from './cloud-config.js';

/** Of a token, or of a login that nobody uses. */
export const SPAN_MAX_MS = 366 * 86_400_000;

/** What the form of the values does not show, without any value: a start with these could only fail for ever. Reads files that URLs name. */
export function problemsIn(config: CloudConfig): readonly string[] {
  return [...databaseProblems(config), ...spanProblems(config), ...brokerProblems(config)];
}

function databaseProblems({ DATABASE_URL: connectionString }: CloudConfig): readonly string[] {
  if (connectionString.startsWith('pglite:')) return [];
  return failing('DATABASE_URL', () => new pg.Client({ connectionString }));
}

const spanProblems = (config: CloudConfig): readonly string[] =>
  (['JWT_EXPIRES_IN', 'REFRESH_TOKEN_EXPIRES_IN'] as const)
    .filter((name) => spanMs(config[name]) > SPAN_MAX_MS)
    .map((name) => `${name}: is more than ${SPAN_MAX_MS / 86_400_000} days`);

function brokerProblems({
  MQTT_URL: url,
  MQTT_CA: ca,
  MQTT_CERT: cert,
  MQTT_KEY: key,
}: CloudConfig): readonly string[] {
  if (url === undefined) return [];
  const isPlain = url.startsWith('mqtt:') && [ca, cert, key].some((pem) => pem !== undefined);
  const parts = [
    // A secure context takes one that is broken, and trusts nobody.
    ...failing('MQTT_CA', () => ca !== undefined && new X509Certificate(ca)),
    ...failing('MQTT_CERT', () => cert !== undefined && createSecureContext({ cert })),
    ...failing('MQTT_KEY', () => key !== undefined && createSecureContext({ key })),
  ];
  return [
    ...failing('MQTT_URL', () => decodeURIComponent(loginOf(new URL(url)))),
    ...(isPlain ? ['MQTT_URL: is without TLS, for which MQTT_CA, MQTT_CERT and MQTT_KEY are: use mqtts://'] : []),
    ...parts,
    ...(parts.length > 0 || cert === undefined || key === undefined
      ? []
      : failing('MQTT_KEY', () => createSecureContext({ cert, key }))),
  ];
}

const loginOf = ({ username, password }: URL): string => `${username}:${password}`;

function failing(name: string, use: () => unknown): readonly string[] {
  try {
    use();
    return [];
  } catch (error) {
    return [`${name}: cannot be used: ${(error as Error).message}`];
  }
}
