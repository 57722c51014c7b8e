import type { Command } from 'commander';
import { OPERATOR_RIGHTS } from '@sparc/protocol/roster';
import { createNodeClock } from '../platform/index.js';
import { examples, jsonOption, type Cli } from './cli.js';
import { duration } from './option-values.js';
import { operatorLines, operatorsValue } from './roster-text.js';
import { withAuthority } from './with-authority.js';

interface DelegateFlags {
  readonly dir: string;
  readonly name: string;
  readonly right: readonly string[];
  readonly scope?: readonly string[];
  /** In ms. */
  readonly for: number;
}

export function addDelegationCommands(cli: Cli, authority: Command): void {
  authority
    .command('delegate <key>')
    .description('let an operator act in the stead of the authority, in the place of what it might do before')
    .requiredOption('--dir <folder>', 'of the authority')
    .requiredOption('--name <name>', 'of the operator')
    .requiredOption('--right <rights...>', Object.keys(OPERATOR_RIGHTS).join(', '))
    .option('--scope <ids...>', 'areas, doors and profiles beyond which no right reaches; without it, the whole site')
    .requiredOption('--for <duration>', 'how long, such as 30d', duration)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      ['', ...Object.entries(OPERATOR_RIGHTS).map(([right, may]) => `  ${right}: ${may}`)].join('\n'),
    )
    .addHelpText(
      'after',
      examples('sparc authority delegate 3b6a…29 --name Ada --right revoke mode --for 90d --dir /media/usb/harbour'),
    )
    .action((key: string, flags: DelegateFlags) => delegate(cli, key, flags));
  authority
    .command('withdraw <key>')
    .description('take back what was delegated to an operator')
    .requiredOption('--dir <folder>', 'of the authority')
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc authority withdraw 3b6a…29 --dir /media/usb/harbour'))
    .action((key: string, { dir }: { readonly dir: string }) => withdraw(cli, key, dir));
}

const nowUnixMs = (): number => Math.floor(createNodeClock().wall().unixMs);

function delegate(
  cli: Cli,
  operator: string,
  { dir, name, right: rights, scope = [], for: lastsMs }: DelegateFlags,
): void {
  withAuthority(dir, (folder) => {
    folder.delegate({ operator, name, rights, scope, notAfterUnixMs: nowUnixMs() + lastsMs });
    told(cli, folder.operators);
  });
}

function withdraw(cli: Cli, operator: string, dir: string): void {
  withAuthority(dir, (folder) => {
    folder.withdraw(operator);
    told(cli, folder.operators);
  });
}

function told({ output }: Cli, operators: Parameters<typeof operatorsValue>[0]): void {
  const lines = operatorLines(operators, nowUnixMs());
  const all = lines.length === 0 ? ['No operator has rights.'] : lines.slice(1);
  output.result(
    { operators: operatorsValue(operators) },
    [...all, '', '`sparc authority publish` makes a file that tells the gateways.'].join('\n'),
  );
}
