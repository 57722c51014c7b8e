import { readFileSync } from 'node:fs';
import { Type, type Static } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { SparcError } from '@sparc/protocol/errors';

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
  },
  { additionalProperties: false },
);
export type CloudConfig = Static<typeof CloudConfig>;

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
  if (isConfig(config)) return config;
  const problems = (isConfig.errors ?? []).map(({ instancePath, params, message }) => {
    const unknown = (params as { readonly additionalProperty?: string }).additionalProperty;
    return `${unknown ?? instancePath.slice(1)}: ${unknown === undefined ? message : 'is unknown'}`;
  });
  throw new SparcError('ERR_CONFIG_INVALID', problems.join('\n'), { problems });
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const given = NAMES.flatMap((name) => {
    const path = environment[`${name}${FILE_SUFFIX}`];
    const value = environment[name] ?? (path === undefined ? undefined : readText(path).trim());
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function readDocument(file: string): object {
  try {
    const document: unknown = parse(readText(file));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document;
  } catch (error) {
    if (error instanceof SparcError) throw error;
    throw new SparcError('ERR_CONFIG_INVALID', `${file} is no YAML`, { file }, { cause: error });
  }
  throw new SparcError('ERR_CONFIG_INVALID', `${file} is no list of names and values`, { file });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path}: ${(error as Error).message}`, { path }, { cause: error });
  }
}
