import { InvalidArgumentError } from 'commander';
import { nodeRandom } from '../platform/index.js';
import { createUser, LOGIN_NAME, madePassword, ROLES, type Role } from '../users/index.js';
import { readPassword } from './password-file.js';
import type { Cli } from './program.js';

interface CreateFlags {
  readonly tenant: string;
  readonly role: Role;
  readonly passwordFile?: string;
}

export function addUserCommands(cli: Cli): void {
  cli.program
    .command('user')
    .description('people who use the console and the API')
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
