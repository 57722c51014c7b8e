import { SparcError } from '@sparc/protocol/errors';
import type { Signer } from '@sparc/protocol/ports';
import { createSigningKey, findSigningKey, toHex } from '../platform/index.js';
import { examples, jsonOption, type Cli } from './cli.js';

export function addOperatorCommands(cli: Cli): void {
  const operator = cli.program
    .command('operator')
    .description('people who direct a site in the stead of its authority, by a key');
  operator
    .command('key <file>')
    .description('make the key of an operator in a new file, and print its public half')
    .addOption(jsonOption())
    .addHelpText('after', '\nOnly its owner can read the file. It belongs to one person and onto no gateway.')
    .addHelpText('after', examples('sparc operator key ~/ada.key'))
    .action((file: string) => makeKey(cli, file));
}

function makeKey({ output }: Cli, file: string): void {
  const publicKey = toHex(created(file).publicKey);
  const human = [
    publicKey,
    '',
    `${file} signs what its owner directs: keep it as you keep the key of a house.`,
    'It gives no right yet. Where the folder of the site authority is:',
    `  sparc authority delegate ${publicKey} --name NAME --right mode revoke --for 90d --dir FOLDER`,
    'The gateways hear of it from the file that `sparc authority publish` makes.',
  ];
  output.result({ publicKey, privateKeyFile: file }, human.join('\n'));
}

/** Throws ERR_CLI_WRITE_FAILED, also where there is a file already. */
function created(file: string): Signer {
  try {
    return createSigningKey(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? `${file} is there already, and no key is overwritten` : `${file}: ${message}`;
    throw new SparcError('ERR_CLI_WRITE_FAILED', why, { file }, { cause });
  }
}

/** Throws ERR_CLI_READ_FAILED, ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_SECRET_CORRUPT or ERR_CONFIG_UNREADABLE. */
export function loadOperatorKey(file: string): Signer {
  const signer = findSigningKey(file);
  if (signer !== undefined) return signer;
  throw new SparcError('ERR_CLI_READ_FAILED', `there is no ${file}; \`sparc operator key ${file}\` makes it`, { file });
}
