import type { Command } from 'commander';
import { EntryContent, headToText, type SignedHead } from '@sparc/protocol/ledger';
import { tipsOf, type AuthorLog } from '@sparc/protocol/replication';
import { loadGatewayConfig } from '../config/index.js';
import { withLogsOf } from '../courier/index.js';
import { readMembership, type MembershipRecord } from '../membership/index.js';
import { loadIdentity, toHex, verifySignature } from '../platform/index.js';
import type { ReadableLogs } from '../replica/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { table } from './text-table.js';

interface Replica {
  /** Public key, in hex. */
  readonly author: string;
  readonly name: string;
  readonly epochsCount: number;
  readonly entriesCount: number;
  /** Where it ends; several where the author signed several histories. */
  readonly tips: readonly SignedHead[];
  /** When its newest entry was recorded, by its author. */
  readonly newestUnixMs: number | undefined;
}

export function addReplicasCommand(cli: Cli, ledger: Command): void {
  ledger
    .command('replicas')
    .description('say which ledgers are on disk here and up to where, whether the gateway runs or not')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc ledger replicas', 'sparc ledger replicas --json'))
    .action(({ config }: { readonly config: string }) => replicas(cli, config));
}

function replicas({ output }: Cli, config: string): void {
  const { dataDir } = loadGatewayConfig(config);
  const { publicKey } = loadIdentity(dataDir);
  const membership = readMembership(dataDir, verifySignature);
  const all = withLogsOf(dataDir, publicKey, (logs) =>
    [...logs.logs()].map(([author, log]) => replicaOf(logs, author, log, nameOf(membership, author, publicKey))),
  );
  output.result(
    all.map(({ tips, ...replica }) => ({
      ...replica,
      heads: tips.map((tip) => JSON.parse(headToText(tip)) as unknown),
    })),
    all.length === 0
      ? 'No ledger is here.'
      : table(['ledger of', 'key', 'entries', 'up to', 'newest'], all.map(row)).join('\n'),
  );
}

function replicaOf(logs: ReadableLogs, author: string, log: AuthorLog, name: string): Replica {
  const tips = tipsOf(log);
  const newest = tips[0] && logs.batchAfter(author, { ...tips[0], sequence: tips[0].sequence - 1 });
  const [content] = newest?.contents ?? [];
  return {
    author,
    name,
    epochsCount: log.length,
    entriesCount: log.reduce((sum, { head }) => sum + head.sequence, 0),
    tips,
    newestUnixMs: content && EntryContent.decode(content).wallUnixMs,
  };
}

function nameOf(membership: MembershipRecord | undefined, author: string, own: Uint8Array): string {
  if (author === toHex(own)) return 'this gateway';
  if (membership === undefined) return '-';
  if (author === toHex(membership.authority)) return 'the site authority';
  return membership.roster.members.find(({ key }) => key === author)?.name ?? 'no member any more';
}

const row = ({ author, name, entriesCount, tips, newestUnixMs }: Replica): string[] => [
  name,
  author,
  String(entriesCount),
  tips.map(({ epoch, sequence }) => `${epoch.counter}.${sequence}`).join(' and '),
  newestUnixMs === undefined ? '-' : new Date(newestUnixMs).toISOString(),
];
