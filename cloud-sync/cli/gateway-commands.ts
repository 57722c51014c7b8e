import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Actor, Enrolment, NewPlace } from '../enrolment/index.js';
import { CertificateAuthorities, siteSecret } from '../identity/index.js';
import { nodeClock, nodeRandom } from '../platform/index.js';
import type { Cli } from './program.js';
import { publicKey } from './public-key.js';
import { readBytes } from './read-file.js';
import { writing } from './write-file.js';

interface SiteFlags {
  readonly tenant: string;
  readonly site: string;
}
interface PlaceFlags extends SiteFlags {
  readonly name?: string;
  readonly replaces?: string;
}

const REQUEST_BYTES_MAX = 16_384;

export function addGatewayCommands(cli: Cli): void {
  const gateway = cli.program.command('gateway').description('who belongs to a site');
  ofPlace(gateway.command('enrol'))
    .description('make a code by which one gateway can be claimed within a day, and print it once')
    .action(async (flags: PlaceFlags) => {
      const { code, expiresUnixMs, url } = await withEnrolment(cli, flags, (enrolment, by) =>
        enrolment.offer(by, placeOf(flags)),
      );
      const until = new Date(expiresUnixMs).toISOString();
      const lines = [`sparc gateway claim ${url} ${code}`, `At the gateway, until ${until}. It is shown here once.`];
      cli.result({ code, url, expiresUnixMs }, lines.join('\n'));
    });
  ofSite(gateway.command('withdraw-codes'))
    .description('void the codes of a site that no gateway has claimed with yet')
    .action(async (flags: SiteFlags) => {
      const withdrawnCount = await withEnrolment(cli, flags, (enrolment, by) =>
        enrolment.withdrawOffers(by, flags.site),
      );
      cli.result({ withdrawnCount }, `${withdrawnCount} codes of ${flags.site} admit nobody any more.`);
    });
  ofPlace(gateway.command('admit').argument('<request>', 'the file that `sparc gateway request` wrote'))
    .description('enrol a gateway that no network reaches, and write what it takes home')
    .requiredOption('-o, --out <file>', 'for `sparc gateway join`; for `sparc authority enrol` of an owner who signs')
    .action(async (request: string, flags: PlaceFlags & { readonly out: string }) => {
      const file = readBytes(request, REQUEST_BYTES_MAX);
      const admitted = await withEnrolment(cli, flags, (enrolment, by) => enrolment.admit(by, placeOf(flags), file));
      const [kind, bytes, next] =
        'request' in admitted
          ? (['request', admitted.request, '`sparc authority enrol` by the owner, who signs'] as const)
          : (['admission', admitted.admission, '`sparc gateway join` there'] as const);
      // It holds the secrets of the site, sealed to the gateway.
      writing(flags.out, () => writeFileSync(flags.out, bytes, { mode: 0o600, flush: true }));
      cli.result({ file: flags.out, kind }, `${flags.out}: ${next}.`);
    });
  ofSite(gateway.command('expel').argument('<gateway>', 'its public key', publicKey))
    .description('put a gateway out for good, as one that was stolen')
    .action(async (expelled: string, flags: SiteFlags) => {
      await withEnrolment(cli, flags, (enrolment, by) => enrolment.expel(by, flags.site, expelled));
      cli.result(
        { gateway: expelled },
        `${expelled} is expelled: the gateways of ${flags.site} hear it from the cloud.`,
      );
    });
}

const ofSite = (command: Command): Command =>
  command.requiredOption('--tenant <id>', 'whose site it is').requiredOption('--site <id>', 'where it belongs');

const ofPlace = (command: Command): Command =>
  ofSite(command)
    .option('--name <name>', 'what it is called there (default: that of the one which it replaces, or its own)')
    .option('--replaces <gateway>', 'public key of the gateway whose place it takes, and which is out then', publicKey);

const placeOf = ({ site, name, replaces }: PlaceFlags): NewPlace => ({ site, name, replaces });

function withEnrolment<T>(
  cli: Cli,
  { tenant }: SiteFlags,
  work: (enrolment: Enrolment, by: Actor) => Promise<T>,
): Promise<T> {
  const config = cli.config();
  return cli.withDatabase(async (database) => {
    // Loaded here: no other command needs it.
    const { enrolmentOf } = await import('../main/index.js');
    const own = { clock: nodeClock, random: nodeRandom };
    const certificates = await CertificateAuthorities.open(config.AUTHORITY_KEYS_DIR, own);
    const secret = siteSecret(config, nodeRandom);
    const enrolment = enrolmentOf(config, { ...own, database, certificates, authorities: cli.sites(database), secret });
    return work(enrolment, { tenant, name: cli.actor });
  });
}
