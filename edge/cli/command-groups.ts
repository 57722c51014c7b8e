import type { Cli } from './cli.js';

/** Commands of one module. */
interface CommandGroup {
  readonly names: readonly string[];
  readonly add: (cli: Cli) => Promise<void>;
}

/** In the order in which the help shows them. */
const GROUPS: readonly CommandGroup[] = [
  { names: ['gateway'], add: async (cli) => (await import('./gateway-command.js')).addGatewayCommand(cli) },
  { names: ['policy'], add: async (cli) => (await import('./policy-commands.js')).addPolicyCommands(cli) },
  { names: ['commission'], add: async (cli) => (await import('./commission-commands.js')).addCommissionCommands(cli) },
  { names: ['mesh'], add: async (cli) => (await import('./mesh-commands.js')).addMeshCommands(cli) },
  { names: ['osdp'], add: async (cli) => (await import('./osdp-commands.js')).addOsdpCommands(cli) },
  { names: ['ledger'], add: async (cli) => (await import('./ledger-commands.js')).addLedgerCommands(cli) },
  { names: ['decision'], add: async (cli) => (await import('./decision-commands.js')).addDecisionCommands(cli) },
  {
    names: ['door', 'area', 'uses', 'mode'],
    add: async (cli) => (await import('./order-commands.js')).addOrderCommands(cli),
  },
  { names: ['clock'], add: async (cli) => (await import('./clock-commands.js')).addClockCommands(cli) },
  {
    names: ['revoke', 'revocations'],
    add: async (cli) => (await import('./revocation-commands.js')).addRevocationCommands(cli),
  },
  { names: ['operator'], add: async (cli) => (await import('./operator-commands.js')).addOperatorCommands(cli) },
  {
    names: ['credential', 'visitor'],
    add: async (cli) => (await import('./people-directives.js')).addPeopleDirectives(cli),
  },
  { names: ['bundle'], add: async (cli) => (await import('./bundle-commands.js')).addBundleCommands(cli) },
  { names: ['site'], add: async (cli) => (await import('./site-commands.js')).addSiteCommands(cli) },
  { names: ['schedule'], add: async (cli) => (await import('./schedule-commands.js')).addScheduleCommands(cli) },
  { names: ['authority'], add: async (cli) => (await import('./authority-commands.js')).addAuthorityCommands(cli) },
  { names: ['roster'], add: async (cli) => (await import('./roster-commands.js')).addRosterCommands(cli) },
  { names: ['simulate'], add: async (cli) => (await import('./simulate-command.js')).addSimulateCommand(cli) },
];

/** Loads what a command line names, and everything where it names nothing that is known: to load all takes half a second. */
export async function addCommands(cli: Cli, argv: readonly string[]): Promise<void> {
  const named = GROUPS.filter(({ names }) => argv.some((word) => names.includes(word)));
  for (const { add } of named.length > 0 ? named : GROUPS) await add(cli);
}
