import type { Command } from 'commander';
import type { DoorDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { DOOR_MODES, type StandingMode } from '@sparc/protocol/policy';
import { THREAT_LEVEL_MAX } from '@sparc/protocol/site-mode';
import type { RaiseSnapshot, SiteSnapshot } from '../api/index.js';
import { loadGatewayConfig } from '../config/index.js';
import type { Order } from '../site-mode/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { direct, keyOption, keyUnless, SiteOperator, unlistedOption, type DirectiveFlags } from './directing.js';
import { instant } from './commission-texts.js';
import { duration } from './option-values.js';
import { directing } from './site-directives.js';

interface Flags {
  readonly config: string;
  readonly by: string;
}

interface ForgiveFlags {
  readonly config: string;
  readonly by?: string;
  readonly unlisted?: true;
}

const ORDERED_MODES = DOOR_MODES.filter((mode): mode is StandingMode => mode !== 'accessed');

const IN_MESH = [
  '\nIn a site of several gateways it counts at each of them, and only an operator with a key ends it:',
  '`sparc site release --key FILE`.',
].join('\n');

export function addOrderCommands(cli: Cli): void {
  const door = cli.program
    .command('door')
    .description('order something for one door, of a gateway that runs or, with a key, of the site');
  ordering(door, 'open <door>', 'release it for one passage')
    .option('--extended', 'for somebody who needs longer')
    .addHelpText('after', examples('sparc door open lobby --by "Ada Lovelace"'))
    .action((id: string, { extended = false, ...flags }: Flags & { extended?: boolean }) =>
      send(cli, flags, { kind: 'accessDoor', door: id, extended }, `Door ${id} is released for one passage.`),
    );
  ordering(door, 'acknowledge <door>', 'say that its forced alarm was seen')
    .addHelpText('after', examples('sparc door acknowledge lobby --by "Ada Lovelace"'))
    .action((id: string, flags: Flags) =>
      send(cli, flags, { kind: 'acknowledge', door: id }, `The alarm of door ${id} is acknowledged.`),
    );
  directing(door, 'unlock <door>', 'let it be released once, or unlocked for a time, by whichever gateway serves it')
    .option('--for <duration>', 'unlocked for so long: 90s, 30m, 2h (default: released for one passage)', duration)
    .addOption(unlistedOption())
    .addHelpText(
      'after',
      examples('sparc door unlock gate --key ada.key', 'sparc door unlock gate --for 30m --key ada.key'),
    )
    .action((id: string, { for: forMs, ...flags }: DirectiveFlags & { for?: number }) => unlock(cli, id, forMs, flags));
  ordering(door, 'mode <door> <mode>', 'put it in a mode that stays, or ends after a time')
    .option('--for <duration>', 'back to its schedule after this: 90s, 30m, 2h, 3d')
    .addHelpText('after', `\nModes: ${ORDERED_MODES.join(', ')}; or scheduled, which ends what was ordered.`)
    .addHelpText(
      'after',
      examples(
        'sparc door mode lobby lockedDown --by "Ada Lovelace"',
        'sparc door mode lobby unlocked --for 2h --by Ada',
        'sparc door mode lobby scheduled --by Ada',
      ),
    )
    .action((id: string, mode: string, { for: time, ...flags }: Flags & { for?: string }) =>
      send(
        cli,
        flags,
        doorOrder(id, mode, time === undefined ? undefined : duration(time)),
        `Door ${id} is ${mode} ${time === undefined ? 'from now on' : `for ${time}`}.`,
      ),
    );

  const area = cli.program
    .command('area')
    .description('who is where, on a gateway that runs or, with a key, at all gateways of the site');
  area
    .command('forgive <holder>')
    .description('let anti-passback begin anew for a holder, wherever they were')
    .option('--by <name>', 'who orders it of this gateway; it is recorded with the name')
    .addOption(keyOption())
    .addOption(unlistedOption())
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nWith --key every gateway of the site forgives, with --by this one alone.')
    .addHelpText(
      'after',
      examples('sparc area forgive ada --key grace.key', 'sparc area forgive ada --by "Grace Hopper"'),
    )
    .action((holder: string, flags: ForgiveFlags, command: Command) =>
      forgive(cli, holder, flags, keyUnless('by', command)),
    );

  const uses = cli.program.command('uses').description('how often credentials were used, on a gateway that runs');
  ordering(uses, 'reset [credential]', 'let the uses of a credential begin anew, or of all whose count is not known')
    .addHelpText('after', examples('sparc uses reset card-visitor-7 --by "Grace Hopper"'))
    .action((credential: string | undefined, flags: Flags) =>
      send(
        cli,
        flags,
        { kind: 'resetUses', ...(credential !== undefined && { credential }) },
        `Uses begin anew for ${credential ?? 'all credentials whose count was not known'}.`,
      ),
    );

  const site = cli.program
    .command('mode')
    .description('what stands at a gateway that runs, and what a person there may raise without a key');
  site
    .command('show')
    .description('show what is ordered, who raised it, and the mode of each door')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config }: { config: string }) => show(cli, config));
  ordering(site, 'lockdown', 'let nobody in but who may override; leaving stays free')
    .addHelpText('after', IN_MESH)
    .action((flags: Flags) => send(cli, flags, { kind: 'lockdown' }, 'The site is locked down.'));
  ordering(site, 'end-lockdown', 'end the lockdown').action((flags: Flags) =>
    send(cli, flags, { kind: 'endLockdown' }, 'The lockdown has ended.'),
  );
  ordering(site, 'evacuate', 'release doors of this gateway alone, as on fire').action((flags: Flags) =>
    send(cli, flags, { kind: 'evacuate' }, 'The evacuation is called.'),
  );
  ordering(site, 'end-fire', 'end fire and evacuation, once no fire alarm is active').action((flags: Flags) =>
    send(cli, flags, { kind: 'endFire' }, 'Fire and evacuation have ended; doors are as before.'),
  );
  ordering(site, 'threat-level <level>', `set the threat level, 0 to ${THREAT_LEVEL_MAX}`)
    .addHelpText('after', IN_MESH)
    .addHelpText('after', examples('sparc mode threat-level 2 --by "Ada Lovelace"'))
    .action((level: string, flags: Flags) =>
      send(cli, flags, { kind: 'threatLevel', level: threatLevel(level) }, `The threat level is ${level}.`),
    );
}

function ordering(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .requiredOption('--by <name>', 'who orders it; it is recorded with the name')
    .addOption(configOption())
    .addOption(jsonOption());
}

async function show({ output }: Cli, config: string): Promise<void> {
  const { mode, doors } = await CommissionClient.of(loadGatewayConfig(config).dataDir).site();
  const lines = [
    lockdownText(mode),
    mode.fires.length === 0 ? 'No fire.' : `Fire: ${mode.fires.join(', ')}.`,
    `Threat level ${mode.threatLevel}.`,
    ...(mode.raises.length === 0 ? [] : ['Raised:', ...mode.raises.map(raiseText), 'Doors:']),
    ...doors.map(({ id, mode: doorMode, orderedUntilUnixMs: untilUnixMs }) =>
      [`  ${id}  ${doorMode}`, ...(untilUnixMs === undefined ? [] : [`until ${instant(untilUnixMs)}`])].join(' '),
    ),
  ];
  const shown = doors.map(({ id, mode: doorMode, orderedUntilUnixMs }) => ({
    id,
    mode: doorMode,
    ...(orderedUntilUnixMs !== undefined && { orderedUntilUnixMs }),
  }));
  output.result({ mode, doors: shown }, lines.join('\n'));
}

function lockdownText({ lockdown, raises }: SiteSnapshot['mode']): string {
  if (lockdown) return 'The site is locked down.';
  const isPartly = raises.some(({ what }) => what === 'lockdown');
  return isPartly ? 'PARTS of the site are locked down.' : 'The site is not locked down.';
}

/** By its id, which `sparc site release --raise` takes. */
function raiseText({ id, what, level, scope, input, by, atUnixMs, gateway }: RaiseSnapshot): string {
  const of = [...(level === undefined ? [] : [String(level)]), ...(input === undefined ? [] : [input])];
  return [
    `  ${id} `,
    [what, ...of].join(' '),
    ...(scope === undefined ? [] : [`of ${scope.join(', ')}`]),
    `by ${by}`,
    ...(gateway === undefined ? [] : [`at gateway ${gateway.slice(0, 8)}`]),
    `since ${instant(atUnixMs)}`,
  ].join(' ');
}

async function send({ output }: Cli, { config, by }: Flags, order: Order, done: string): Promise<void> {
  await CommissionClient.of(loadGatewayConfig(config).dataDir).order(order, by);
  output.result({ order, by }, done);
}

async function forgive(
  cli: Cli,
  holder: string,
  { config, by, unlisted }: ForgiveFlags,
  key: string | undefined,
): Promise<void> {
  const done = `Anti-passback begins anew for ${holder}.`;
  if (key !== undefined) {
    const operator = new SiteOperator({ config, key, ...(unlisted && { unlisted }) });
    operator.assertListed({ holder: [holder] });
    return direct(cli, operator, [{ kind: 'forgive', holder }], done);
  }
  if (by === undefined) throw new SparcError('ERR_CLI_USAGE', 'who forgives? --key FILE, or --by NAME');
  return send(cli, { config, by }, { kind: 'forgive', holder }, done);
}

async function unlock(cli: Cli, door: string, forMs: number | undefined, flags: DirectiveFlags): Promise<void> {
  const order: DoorDirective = forMs === undefined ? { kind: 'accessDoor' } : { kind: 'door', mode: 'unlocked', forMs };
  const what = forMs === undefined ? 'is to be released once' : `is to be unlocked for ${forMs / 1_000} s`;
  const operator = new SiteOperator(flags);
  operator.assertListed({ door: [door] });
  return direct(cli, operator, [{ kind: 'door', door, order }], `Door ${door} ${what}.`);
}

function doorOrder(door: string, mode: string, forMs: number | undefined): Order {
  if (mode === 'scheduled') {
    if (forMs !== undefined) throw new SparcError('ERR_CLI_USAGE', 'its schedule has no end: leave --for out');
    return { kind: 'releaseDoor', door };
  }
  const ordered = ORDERED_MODES.find((known) => known === mode);
  if (ordered !== undefined) return { kind: 'door', door, mode: ordered, ...(forMs !== undefined && { forMs }) };
  throw new SparcError('ERR_CLI_USAGE', `'${mode}' is no mode: ${ORDERED_MODES.join(', ')}, scheduled`, { mode });
}

function threatLevel(text: string): number {
  const level = Number(text);
  if (/^\d$/.test(text) && level <= THREAT_LEVEL_MAX) return level;
  throw new SparcError('ERR_CLI_USAGE', `'${text}' is no threat level: 0 to ${THREAT_LEVEL_MAX}`, { level: text });
}
