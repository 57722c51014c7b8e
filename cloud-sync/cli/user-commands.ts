import { InvalidArgumentError, type Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { listTenants, type Database } from '../db/index.js';
import { nodeRandom } from '../platform/index.js';
import {
  changeUser,
  createUser,
  listBarredByRestore,
  LOGIN_NAME,
  madePassword,
  ROLES,
  type Role,
  type User,
} from '../users/index.js';
import { readPassword } from './password-file.js';
import type { Cli } from './program.js';

interface CreateFlags {
  readonly tenant: string;
  readonly role: Role;
  readonly passwordFile?: string;
}

interface AdmitFlags {
  readonly all?: boolean;
  readonly keepPassword?: boolean;
}

export function addUserCommands(cli: Cli): void {
  const user = cli.program.command('user').description('people who use the console and the API');
  addCreate(cli, user);
  user
    .command('admit')
    .description('let in again whom a restore barred, each with a new password, which is printed once')
    .argument('[names...]', 'by which they log in')
    .option('--all', 'everybody whom the restore barred')
    .option('--keep-password', 'as it was in the backup, also where it was changed after that')
    .action(async (names: readonly string[], { all = false, keepPassword = false }: AdmitFlags) => {
      if (all === names.length > 0) throw new SparcError('ERR_CLI_USAGE', 'it takes names, or --all');
      const wanted = names.map((name) => name.toLowerCase());
      const admitted = await cli.withDatabase((database) =>
        admit(database, cli.actor, keepPassword, all ? undefined : wanted),
      );
      const lines = admitted.map((each) => Object.values(each).join('  '));
      cli.result(admitted, lines.length === 0 ? 'Nobody is barred by a restore.' : lines.join('\n'));
    });
}

interface Admitted {
  readonly name: string;
  readonly password?: string;
}

/** Throws ERR_USER_UNKNOWN, before anybody is let in. */
async function admit(database: Database, by: string, keepsPassword: boolean, names?: readonly string[]) {
  const found: { readonly tenant: string; readonly user: User }[] = [];
  for (const { id: tenant } of await listTenants(database)) {
    for (const user of await database.inTenant(tenant, listBarredByRestore)) {
      if (names?.includes(user.name) ?? true) found.push({ tenant, user });
    }
  }
  const missing = names?.filter((name) => !found.some(({ user }) => user.name === name)) ?? [];
  if (missing.length > 0) throw new SparcError('ERR_USER_UNKNOWN', `no restore barred ${missing.join(', ')}`);
  const admitted: Admitted[] = [];
  for (const { tenant, user } of found) {
    const made = keepsPassword ? {} : { password: madePassword(nodeRandom) };
    await changeUser(database, nodeRandom, { tenant, name: by }, user.id, { isBarred: false, ...made });
    admitted.push({ name: user.name, ...made });
  }
  return admitted;
}

function addCreate(cli: Cli, user: Command): void {
  user
    .command('create')
    .description('let somebody log in, and print the password once where it is made here')
    .argument('<name>', 'by which to log in', loginName)
    .requiredOption('--tenant <id>', 'whose data it is to see')
    .option('--role <role>', ROLES.join(', '), role, 'administrator')
    .option('--password-file <file>', 'file with the password')
    .action(async (name: string, flags: CreateFlags) => {
      const given = flags.passwordFile === undefined ? undefined : readPassword(flags.passwordFile);
      const password = given ?? madePassword(nodeRandom);
      const actor = { tenant: flags.tenant, name: cli.actor };
      const user = await cli.withDatabase((database) =>
        createUser(database, nodeRandom, actor, { name, role: flags.role, password }),
      );
      const made = given === undefined ? { password } : {};
      cli.result({ ...user, ...made }, [user.name, ...Object.values(made)].join('  '));
    });
}

function loginName(text: string): string {
  if (new RegExp(LOGIN_NAME).test(text)) return text;
  throw new InvalidArgumentError('It is 1 to 100 letters, digits and . @ _ + -');
}

function role(text: string): Role {
  const found = ROLES.find((each) => each === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It is none of ${ROLES.join(', ')}.`);
}
