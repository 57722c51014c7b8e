import { Option, type Command } from 'commander';
import { RAISES_NAMED_MAX, type Raised } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { THREAT_LEVEL_MAX } from '../site-mode/index.js';
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
    .action((flags: RaiseFlags) => raise(cli, flags, { what: 'lockdown' }, 'Lockdown.'));
  scoped(site, 'threat <level>', `raise the threat level, 1 to ${THREAT_LEVEL_MAX}`)
    .addHelpText('after', '\nThe highest that stands counts. One that was raised is ended by `sparc site release`.')
    .addHelpText('after', examples('sparc site threat 3 --key ada.key'))
    .action((text: string, flags: RaiseFlags) => {
      const level = wholeNumber(1, THREAT_LEVEL_MAX)(text);
      return raise(cli, flags, { what: 'threat', level }, `Threat level ${level}.`);
    });
  directing(site, 'evacuate', 'release doors everywhere as on fire')
    .addHelpText('after', examples('sparc site evacuate --key ada.key'))
    .action((flags: DirectiveFlags) => raise(cli, flags, { what: 'evacuation' }, 'Evacuation.'));
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

async function raise(
  cli: Cli,
  flags: RaiseFlags,
  raised: { readonly what: Raised; readonly level?: number },
  what: string,
): Promise<void> {
  const scope = [...(flags.area ?? []), ...(flags.door ?? [])];
  const draft: DirectiveDraft = { kind: 'raise', ...raised, ...(scope.length > 0 && { scope }) };
  const operator = new SiteOperator(flags);
  operator.assertListed({ area: flags.area ?? [], door: flags.door ?? [] });
  return direct(cli, operator, [draft], what);
}

async function release(cli: Cli, { raise: named, all, ...flags }: ReleaseFlags): Promise<void> {
  if (named === undefined && all === undefined) {
    throw new SparcError('ERR_CLI_USAGE', 'what is to end? --raise ID, or --all');
  }
  const operator = new SiteOperator(flags);
  const raises = named === undefined ? await standing(operator) : await wholeIds(operator, named, flags.unlisted);
  if (raises.length === 0) {
    cli.output.result([], 'Nothing is raised at this gateway.');
    return;
  }
  const count = Math.ceil(raises.length / RAISES_NAMED_MAX);
  const drafts = Array.from({ length: count }, (_, index): DirectiveDraft => ({
    kind: 'release',
    raises: raises.slice(index * RAISES_NAMED_MAX, (index + 1) * RAISES_NAMED_MAX),
  }));
  await direct(cli, operator, drafts, `Release of ${raises.join(', ')}.`);
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
