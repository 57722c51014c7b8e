import { userInfo } from 'node:os';
import { Option } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { act, type Act, type ActName } from '../audit/index.js';
import { createNodeClock, nodeRandom } from '../platform/index.js';

const NAME_LENGTH_MAX = 64;

/** On every command that changes a gateway beside its process, or takes from it what is not everybody's. */
export function byOption(): Option {
  return new Option('--by <name>', 'who does it, for the journal (default: your account)').argParser((name) => {
    if (name.length > 0 && name.length <= NAME_LENGTH_MAX) return name;
    throw new SparcError('ERR_CLI_USAGE', `--by is a name of 1 to ${NAME_LENGTH_MAX} letters`);
  });
}

/** Does something to a data directory, on record. Rejects as `act`. */
export function acting<Name extends ActName, T>(
  dataDir: string,
  by: string | undefined,
  doing: Omit<Act<Name, T>, 'by' | 'account'>,
): Promise<T> {
  const account = accountName();
  const author = { by: by ?? process.env['SUDO_USER'] ?? account, account };
  return act(dataDir, { clock: createNodeClock(), random: nodeRandom }, { ...author, ...doing });
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as in a container that runs as any number.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
