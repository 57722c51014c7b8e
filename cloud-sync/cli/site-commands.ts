import { InvalidArgumentError } from 'commander';
import { AuthoritySource } from '../authority/index.js';
import { assertSite, type Database } from '../db/index.js';
import { siteSecret } from '../identity/index.js';
import { nodeCrypto, nodePartTools, nodeRandom } from '../platform/index.js';
import { DraftSecrets, PolicyDesk, PolicyDraft, type DeskDeps } from '../policy/index.js';
import { gatewaysView, SiteFollower } from '../sites/index.js';
import { audit } from '../users/index.js';
import type { Cli } from './program.js';
import { publicKey } from './public-key.js';
import { readText } from './read-file.js';

interface OfTenant {
  readonly tenant: string;
}

interface PublishFlags extends OfTenant {
  readonly note?: string;
  readonly onlyFor?: readonly string[];
  readonly over?: number;
}

export function addSiteCommands(cli: Cli): void {
  const site = cli.program.command('site').description('sites of a tenant, and their policy');
  site
    .command('create')
    .description('make a site with its authority')
    .argument('<id>', 'as it stands in site files')
    .requiredOption('--tenant <id>', 'whose site it is')
    .requiredOption('--name <name>', 'for people')
    .action(async (id: string, { tenant, name }: OfTenant & { readonly name: string }) => {
      await cli.withDatabase((database) =>
        cli.sites(database).create(tenant, { id, name }, (transaction) => {
          return audit(transaction, { tenant, name: cli.actor }, 'site.create', id);
        }),
      );
      cli.result({ id }, `Site ${id} is made.`);
    });
  site
    .command('import')
    .description('put a site file in the place of the draft of a site')
    .argument('<id>', 'of the site')
    .argument('<file>', 'YAML or JSON')
    .requiredOption('--tenant <id>', 'whose site it is')
    .action(async (id: string, file: string, { tenant }: OfTenant) => {
      const text = readText(file);
      const saved = await withDesk(cli, tenant, id, ({ desk }) => desk.imported(text, cli.actor));
      const { created, changed, removed } = saved;
      cli.result(saved, `The draft has ${created} new objects, ${changed} changed, and ${removed} less.`);
    });
  site
    .command('publish')
    .description('sign the draft of a site as its next revision')
    .argument('<id>', 'of the site')
    .requiredOption('--tenant <id>', 'whose site it is')
    .option('--note <text>', 'for people: why')
    .option(
      '--only-for <keys...>',
      'gateways that try it, by their keys; others go on with the one before',
      (key: string, before: readonly string[] = []) => [...before, publicKey(key)],
    )
    .option(
      '--over <number>',
      'the newest revision, where that was recovered: what it says is given up',
      revisionNumber,
    )
    .action(async (id: string, { tenant, ...wish }: PublishFlags) => {
      const published = await withDesk(cli, tenant, id, ({ desk }) => desk.publish({ ...wish, by: cli.actor }));
      const { number, isNew } = published;
      cli.result(published, isNew ? `Revision ${number} is published.` : `Revision ${number} says the same already.`);
    });
  site
    .command('status')
    .description('show the draft of a site, and what was published')
    .argument('<id>', 'of the site')
    .requiredOption('--tenant <id>', 'whose site it is')
    .action(async (id: string, { tenant }: OfTenant) => {
      const status = await withDesk(cli, tenant, id, async ({ desk, draft, database }) => ({
        ...(await draft.counts()),
        problems: await desk.problems(),
        revisions: await desk.revisions(),
        gateways: await appliedBy(database, tenant, id, cli.now().getTime()),
      }));
      const { version, problems, revisions, gateways } = status;
      const lines = revisions.map(({ number, publishedAt, publishedBy, isRecovered, onlyFor, note }) => {
        const parts = [
          `Revision ${number}`,
          publishedAt.toISOString(),
          publishedBy,
          isRecovered === true && 'recovered',
          onlyFor !== undefined && `on trial at ${onlyFor.length}`,
          note,
        ];
        return parts.filter((part) => typeof part === 'string').join('  ');
      });
      const applied = gateways.map(({ name, revision }) => `${name} has applied ${revision ?? 'none'}`);
      cli.result(status, [`Draft ${version}: ${problems.length} problems`, ...lines, ...applied].join('\n'));
    });
}

function revisionNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not the number of a revision.');
}

/** What each gateway has applied by its own ledger, as far as that is here: published is not applied. */
async function appliedBy(database: Database, tenant: string, site: string, nowUnixMs: number) {
  const follower = await SiteFollower.open(database, nodeCrypto.verify, tenant, site);
  if (follower === undefined) return [];
  const { gateways } = await database.inTenant(tenant, (transaction) =>
    gatewaysView(transaction, site, follower, nowUnixMs),
  );
  return gateways.map(({ key, name, policy }) => ({ key, name, ...(policy && { revision: policy.revision }) }));
}

/** Throws ERR_DATABASE_SITE_UNKNOWN. */
function withDesk<T>(
  cli: Cli,
  tenant: string,
  site: string,
  work: (of: { readonly desk: PolicyDesk; readonly draft: PolicyDraft; readonly database: Database }) => Promise<T>,
): Promise<T> {
  return cli.withDatabase(async (database) => {
    await database.inTenant(tenant, (transaction) => assertSite(transaction, site));
    const secrets = new DraftSecrets(siteSecret(cli.config(), nodeRandom), { tenant, site });
    const authority = cli.sites(database).of(tenant, site);
    const source = new AuthoritySource(database);
    const deps: DeskDeps = { database, tenant, site, secrets, authority, source, partTools: nodePartTools };
    return work({ desk: new PolicyDesk(deps), draft: new PolicyDraft(deps), database });
  });
}
