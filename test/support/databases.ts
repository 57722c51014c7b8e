import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { migrate, openConnections, type Connections } from '@sparc/cloud-sync/db';
import { PostgresServer, SKIP_WITHOUT_POSTGRES } from './postgres.js';
import { readRepositoryFile } from './repository.js';

/** What of a test is needed here. */
export interface Test {
  teardown(undo: () => unknown): void;
}

/** Every database that the cloud tier runs on: a new one each time, without a schema; it goes with the test. */
export const DATABASES: readonly {
  readonly name: string;
  readonly skip: string | false;
  readonly open: (t: Test) => Promise<Connections>;
}[] = [
  { name: 'PostgreSQL', skip: SKIP_WITHOUT_POSTGRES, open: openPostgres },
  { name: 'PGlite', skip: false, open: openPglite },
];

export async function migrated(connections: Connections): Promise<Connections> {
  await migrate(connections);
  return connections;
}

let server: Promise<PostgresServer> | undefined;

/** One for all tests of a file. */
export function postgres(): Promise<PostgresServer> {
  if (server === undefined) {
    server = PostgresServer.start();
    t.teardown(async () => (await server)?.stop());
  }
  return server;
}

async function openPostgres(t: Test): Promise<Connections> {
  const { url } = await (await postgres()).createDatabase();
  const connections = await openConnections({ url, connectionsMax: 4 });
  t.teardown(() => connections.close());
  return connections;
}

export async function openPglite(t: Test): Promise<Connections> {
  const connections = await openConnections({ url: `pglite:${await pgliteFolder(t)}`, connectionsMax: 1 });
  t.teardown(() => connections.close());
  return connections;
}

/** Making an empty database takes PGlite some seconds, so that one is made for all tests that this machine ever runs. */
const { version } = JSON.parse(readRepositoryFile('node_modules/@electric-sql/pglite/package.json')) as {
  readonly version: string;
};
const TEMPLATE = join(tmpdir(), `sparc-pglite-${version}-of-${process.getuid?.() ?? 0}`);

/** With an empty database in it. */
export async function pgliteFolder(t: Test): Promise<string> {
  if (!existsSync(TEMPLATE)) await makeTemplate();
  const folder = mkdtempSync(join(tmpdir(), 'sparc-pglite-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(TEMPLATE, folder, { recursive: true });
  return folder;
}

async function makeTemplate(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-pglite-'));
  const connections = await openConnections({ url: `pglite:${folder}`, connectionsMax: 1 });
  await connections.close();
  try {
    renameSync(folder, TEMPLATE);
  } catch {
    // Another test was quicker.
    rmSync(folder, { recursive: true, force: true });
  }
}
