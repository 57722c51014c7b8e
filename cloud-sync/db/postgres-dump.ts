import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SparcError } from '@sparc/protocol/errors';

const run = promisify(execFile);

/** A restored database has none of its own until it is whole: a restore that is cut off leaves one in which nobody signs. */
const WITHOUT_LIFE = '--exclude-table-data=sparc.incarnation';

/**
 * Dumps what a snapshot shows into a file, as the role that sees all rows. The owner's dump would fail under row-level
 * security, and with `--enable-row-security` it would be empty and end with 0.
 * Throws ERR_DATABASE_TOOL.
 */
export function dumpPostgres(url: string, snapshot: string, file: string): Promise<void> {
  const what = ['--format=custom', '--schema=sparc', '--role=sparc_backup', WITHOUT_LIFE, `--snapshot=${snapshot}`];
  return tool('pg_dump', url, [...what, `--file=${file}`]);
}

/** All or nothing, into a database that has the roles. Throws ERR_DATABASE_TOOL. */
export function restorePostgres(url: string, file: string): Promise<void> {
  return tool('pg_restore', url, ['--exit-on-error', '--single-transaction', file]);
}

/** The password goes by the environment: what stands on a command line is there for all to read. */
async function tool(program: string, url: string, args: readonly string[]): Promise<void> {
  const address = new URL(url);
  // As libpq has it, where both are given.
  const password = address.searchParams.get('password') ?? decodeURIComponent(address.password);
  address.password = '';
  address.searchParams.delete('password');
  const env = { ...process.env, ...(password !== '' && { PGPASSWORD: password }) };
  try {
    await run(program, [`--dbname=${address.href}`, '--no-password', ...args], { env });
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    const why = code === 'ENOENT' ? 'it is not installed' : stderr.trim();
    throw new SparcError('ERR_DATABASE_TOOL', `${program}: ${why}`, { program }, { cause: error });
  }
}
