import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { HOST } from '../config/index.js';
import { CertificateAuthorities, type Credentials } from '../identity/index.js';
import { nodeClock, nodeRandom } from '../platform/index.js';
import type { Cli } from './program.js';
import { writing } from './write-file.js';

export function addBrokerCommands(cli: Cli): void {
  cli.program
    .command('broker')
    .description('a broker of your own, in the place of the one inside the program')
    .command('certificates')
    .description(
      'write what it takes for mutual TLS: of the installation, of the broker, and of the cloud; good for 90 days',
    )
    .argument('<folder>', 'root.pem, broker.pem, broker.key, cloud.pem and cloud.key go there')
    .requiredOption('--name <hosts...>', 'names and addresses by which the broker is called', host)
    .action(async (folder: string, { name }: { readonly name: readonly string[] }) => {
      const deps = { clock: nodeClock, random: nodeRandom };
      const authorities = await CertificateAuthorities.open(cli.config().AUTHORITY_KEYS_DIR, deps);
      const [broker, cloud] = [await authorities.server(name), await authorities.service()];
      writing(folder, () => {
        // One folder: Node never comes back from making those above it where the system denies them, as in /proc.
        if (!existsSync(folder)) mkdirSync(folder);
        writeFileSync(join(folder, 'root.pem'), authorities.rootPem);
        write(folder, 'broker', broker);
        write(folder, 'cloud', cloud);
      });
      cli.result({ folder }, `Certificates are in ${folder}.`);
    });
}

function host(text: string, before: readonly string[] = []): readonly string[] {
  if (new RegExp(HOST).test(text)) return [...before, text];
  throw new InvalidArgumentError('It is no name and no address of a host.');
}

/** Over what is there. */
function write(folder: string, name: string, { keyPem, certificatePem }: Credentials): void {
  writeFileSync(join(folder, `${name}.pem`), certificatePem);
  const key = join(folder, `${name}.key`);
  // Anew: a file that is there would keep its mode.
  rmSync(key, { force: true });
  writeFileSync(key, keyPem, { mode: 0o600, flag: 'wx' });
}
