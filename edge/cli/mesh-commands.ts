import type { LogView, MemberView, MeshView } from '../api/index.js';
import { loadGatewayConfig } from '../config/index.js';
import { createNodeClock } from '../platform/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { table } from './text-table.js';

interface Flags {
  readonly config: string;
}

export function addMeshCommands(cli: Cli): void {
  const mesh = cli.program
    .command('mesh')
    .description('the other gateways of the site, as a gateway that runs hears them');
  mesh
    .command('status')
    .description('say who is connected, how far their ledgers are here, and what nobody else has yet')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc mesh status', 'sparc mesh status --json'))
    .action(({ config }: Flags) => status(cli, config));
  mesh
    .command('heads')
    .description('print the signed heads of all ledgers that are on disk here')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nEach line is a witness for `sparc ledger verify --expect-head` at the gateway that signed it.',
    )
    .addHelpText('after', examples('sparc mesh heads', 'sparc mesh heads > heads-of-monday.txt'))
    .action(({ config }: Flags) => heads(cli, config));
}

const meshOf = (config: string): Promise<MeshView> => CommissionClient.of(loadGatewayConfig(config).dataDir).mesh();

async function status({ output }: Cli, config: string): Promise<void> {
  const view = await meshOf(config);
  output.result(view, meshText(view, createNodeClock().wall().unixMs));
}

async function heads({ output }: Cli, config: string): Promise<void> {
  const all = (await meshOf(config)).logs.flatMap((log) => log.heads);
  output.result(all, all.length === 0 ? 'No ledger is here.' : all.map((head) => JSON.stringify(head)).join('\n'));
}

const STATE_TEXTS = {
  off: 'The configuration has no mesh: this gateway speaks to no other.',
  starting: 'The mesh is starting.',
  notJoined: 'This gateway has joined no site: `sparc gateway request` begins it.',
  failed: 'The mesh DOES NOT RUN; it is tried again.',
} as const;

function meshText(view: MeshView, nowUnixMs: number): string {
  const { state, trouble, members, logs, forks } = view;
  const named = (key: string) => members.find((member) => member.key === key)?.name ?? `${key.slice(0, 8)}…`;
  return [
    state === 'running' ? runningText(view, nowUnixMs) : STATE_TEXTS[state],
    ...(trouble === undefined ? [] : [`${trouble.code}: ${trouble.message}`]),
    ...forks.map(({ kind, first }) => `FORK: ${named(first.author)} signed two histories (${kind}).`),
    ...(members.length === 0
      ? []
      : [
          '',
          ...table(
            ['gateway', 'key', 'link', 'ping', 'its ledger here', 'behind'],
            members.map((member) =>
              row(
                member,
                logs.find(({ author }) => author === member.key),
                nowUnixMs,
              ),
            ),
          ),
        ]),
  ].join('\n');
}

function runningText({ roster, listensAt, own }: MeshView, nowUnixMs: number): string {
  const { replicasCount = 0, unreplicatedCount = 0, unreplicatedSinceUnixMs: since } = own ?? {};
  const age = since === undefined ? '' : `, the oldest for ${ageText(nowUnixMs - since)}`;
  const isExpired = roster !== undefined && roster.notAfterUnixMs <= nowUnixMs;
  return [
    `Site ${roster?.site ?? '?'}, roster ${roster?.epoch ?? '?'}${isExpired ? ', EXPIRED: ask the authority for a new one' : ''}.`,
    `Listens at ${listensAt.join(' and ')}.`,
    `${counted(replicasCount, 'neighbour has', 'neighbours have')} all of the own ledger.`,
    unreplicatedCount === 0
      ? 'Each own entry is on another gateway, too.'
      : `${counted(unreplicatedCount, 'own entry is', 'own entries are')} HERE ONLY${age}.`,
  ].join('\n');
}

function row(
  { key, name, isSelf, hereSinceUnixMs, roundTripMs }: MemberView,
  log: LogView | undefined,
  nowUnixMs: number,
): string[] {
  const up = hereSinceUnixMs === undefined ? 'AWAY' : `for ${ageText(nowUnixMs - hereSinceUnixMs)}`;
  return [
    name,
    key,
    isSelf ? 'this gateway' : up,
    roundTripMs === undefined ? '' : `${roundTripMs.toFixed(1)} ms`,
    log?.heads.map(({ epoch, sequence }) => `${epoch.counter}.${sequence}`).join(' and ') ?? '-',
    log === undefined || isSelf ? '' : String(log.behindCount),
  ];
}

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

const SECOND_MS = 1_000;
const MINUTE_S = 60;

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND_MS));
  return seconds < 2 * MINUTE_S ? `${seconds} s` : `${Math.floor(seconds / MINUTE_S)} min`;
}
