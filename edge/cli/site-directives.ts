import { Option, type Command } from 'commander';
import { RAISES_NAMED_MAX } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { THREAT_LEVEL_MAX } from '@sparc/protocol/site-mode';
import type { RaiseSnapshot } from '../api/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import {
  direct,
  keyOption,
  SiteOperator,
  unlistedOption,
  type DirectiveDraft,
  type DirectiveFlags,
} from './directing.js';
import { wholeNumber } from './option-values.js';

interface RaiseFlags extends DirectiveFlags {
  readonly area?: readonly string[];
  readonly door?: readonly string[];
}
interface ReleaseFlags extends DirectiveFlags {
  readonly raise?: readonly string[];
  readonly all?: true;
}

/** What an operator directs the whole site to do. */
export function addSiteDirectives(cli: Cli, site: Command): void {
  scoped(site, 'lockdown', 'let nobody in anywhere but who may override; leaving stays free')
    .addHelpText(
      'after',
      examples('sparc site lockdown --key ada.key', 'sparc site lockdown --area lab --door gate --key ada.key'),
    )
    .action((flags: RaiseFlags) => lockDown(cli, flags));
  scoped(site, 'threat <level>', `set the threat level, 0 to ${THREAT_LEVEL_MAX}; 0 ends it`)
    .addHelpText(
      'after',
      '\nIt takes the place of what stands there or in a part of it; of what is left the highest counts.',
    )
    .addHelpText('after', examples('sparc site threat 3 --key ada.key', 'sparc site threat 0 --area lab --key ada.key'))
    .action((text: string, flags: RaiseFlags) => setThreat(cli, flags, wholeNumber(0, THREAT_LEVEL_MAX)(text)));
  directing(site, 'evacuate', 'release doors everywhere as on fire')
    .addHelpText('after', examples('sparc site evacuate --key ada.key'))
    .action((flags: DirectiveFlags) =>
      direct(cli, new SiteOperator(flags), [{ kind: 'raise', what: 'evacuation' }], 'Evacuation.'),
    );
  directing(site, 'release', 'end what was raised')
    .addOption(new Option('--raise <ids...>', 'as `sparc mode show` names them, or how they begin').conflicts('all'))
    .option('--all', 'whatever stands at this gateway, but for fire alarms: those are named')
    .option('--unlisted', 'also whole ids of what does not stand at this gateway')
    .addHelpText(
      'after',
      examples('sparc site release --all --key ada.key', 'sparc site release --raise 3f0c --key ada.key'),
    )
    .action((flags: ReleaseFlags) => release(cli, flags));
}

/** A command that signs a directive. */
export const directing = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .addOption(keyOption().makeOptionMandatory())
    .addOption(configOption())
    .addOption(jsonOption());

const scoped = (parent: Command, name: string, description: string): Command =>
  directing(parent, name, description)
    .option('--area <ids...>', 'there alone: at the doors that lead into or out of these areas')
    .option('--door <ids...>', 'at these doors alone')
    .addOption(unlistedOption());

async function lockDown(cli: Cli, flags: RaiseFlags): Promise<void> {
  const [operator, part] = [new SiteOperator(flags), partOf(flags)];
  operator.assertListed({ area: flags.area ?? [], door: flags.door ?? [] });
  return direct(cli, operator, [{ kind: 'raise', what: 'lockdown', ...part }], 'Lockdown.');
}

async function setThreat(cli: Cli, flags: RaiseFlags, level: number): Promise<void> {
  const [operator, part] = [new SiteOperator(flags), partOf(flags)];
  operator.assertListed({ area: flags.area ?? [], door: flags.door ?? [] });
  const isWithin = ({ scope }: RaiseSnapshot) =>
    part.scope === undefined || scope?.every((id) => part.scope?.includes(id)) === true;
  const { mode } = await operator.client.site();
  const before = mode.raises.filter((raise) => raise.what === 'threat' && isWithin(raise)).map(({ id }) => id);
  if (level === 0) return endRaised(cli, operator, before, 'Threat level 0.');
  const [instead, more] = [before.slice(0, RAISES_NAMED_MAX), before.slice(RAISES_NAMED_MAX)];
  const raise: DirectiveDraft = {
    kind: 'raise',
    what: 'threat',
    level,
    ...part,
    ...(instead.length > 0 && { instead }),
  };
  return direct(cli, operator, [raise, ...releasesOf(more)], `Threat level ${level}.`);
}

function partOf({ area = [], door = [] }: RaiseFlags): { readonly scope?: string[] } {
  const scope = [...area, ...door];
  return scope.length > 0 ? { scope } : {};
}

async function release(cli: Cli, { raise: named, all, ...flags }: ReleaseFlags): Promise<void> {
  if (named === undefined && all === undefined) {
    throw new SparcError('ERR_CLI_USAGE', 'what is to end? --raise ID, or --all');
  }
  const operator = new SiteOperator(flags);
  const raises = named === undefined ? await standing(operator) : await wholeIds(operator, named, flags.unlisted);
  return endRaised(cli, operator, raises, `Release of ${raises.join(', ')}.`);
}

async function endRaised(cli: Cli, operator: SiteOperator, raises: readonly string[], what: string): Promise<void> {
  if (raises.length > 0) return direct(cli, operator, releasesOf(raises), what);
  cli.output.result([], 'Nothing of the kind is raised at this gateway.');
}

/** As many as it takes to name all of them. */
function releasesOf(raises: readonly string[]): DirectiveDraft[] {
  const count = Math.ceil(raises.length / RAISES_NAMED_MAX);
  return Array.from({ length: count }, (_, index) => ({
    kind: 'release',
    raises: raises.slice(index * RAISES_NAMED_MAX, (index + 1) * RAISES_NAMED_MAX),
  }));
}

async function standing({ client }: SiteOperator): Promise<readonly string[]> {
  const { mode } = await client.site();
  return mode.raises.filter(({ what }) => what !== 'fire').map(({ id }) => id);
}

/** Each by its beginning. Throws ERR_CLI_USAGE for one that nothing here has, or several have. */
async function wholeIds(
  { client }: SiteOperator,
  named: readonly string[],
  isUnlisted = false,
): Promise<readonly string[]> {
  const { mode } = await client.site();
  const ids = mode.raises.map(({ id }) => id);
  return named.map((text) => {
    const [id, ...others] = ids.filter((each) => each.startsWith(text));
    if (others.length > 0) throw new SparcError('ERR_CLI_USAGE', `several raises begin with ${text}: write more of it`);
    if (id === undefined && !isUnlisted) {
      const known = ids.length === 0 ? 'nothing is raised' : `there are ${ids.join(', ')}`;
      const message = `nothing at this gateway has the id ${text} (${known}); --unlisted where it stands elsewhere`;
      throw new SparcError('ERR_CLI_USAGE', message);
    }
    return id ?? text;
  });
}
