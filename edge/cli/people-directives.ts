import { identifierKey } from '@sparc/protocol/card-format';
import type { Visitor } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { examples, type Cli } from './cli.js';
import { direct, SiteOperator, unlistedOption, type DirectiveFlags } from './directing.js';
import { duration } from './option-values.js';
import { directing } from './site-directives.js';

interface RevokeFlags extends DirectiveFlags {
  readonly holder?: true;
}
interface VisitorFlags extends DirectiveFlags {
  readonly id: string;
  readonly name: string;
  readonly card: string;
  readonly profile: readonly string[];
  /** In ms. */
  readonly for: number;
  readonly from?: string;
}

/** What an operator directs all gateways of a site to do about people. */
export function addPeopleDirectives(cli: Cli): void {
  const credential = cli.program.command('credential').description('credentials at all gateways of a site');
  directing(credential, 'revoke <id>', 'end a credential everywhere and for good, whatever any policy says')
    .option('--holder', 'the id is that of a holder, of whom every credential ends')
    .addOption(unlistedOption())
    .addHelpText('after', '\nIt ends a visitor too, by the id that the visitor was given.')
    .addHelpText('after', examples('sparc credential revoke card-ada --key grace.key'))
    .action((id: string, flags: RevokeFlags) => revoke(cli, id, flags));
  const visitor = cli.program.command('visitor').description('people who are let in for a time, beside the policy');
  directing(visitor, 'add', 'let somebody in by a card that the policy does not have')
    .requiredOption('--id <id>', 'new id, by which the visitor is recorded and revoked')
    .requiredOption('--name <name>', 'who it is')
    .requiredOption('--card <card>', 'FORMAT:FACILITY:NUMBER, or raw:BITS:HEX')
    .requiredOption('--profile <ids...>', 'access profiles of the policy')
    .requiredOption('--for <duration>', 'how long: 30m, 8h, 3d', duration)
    .option('--from <instant>', 'since when, as 2026-03-04T08:00:00Z (default: now)')
    .addOption(unlistedOption())
    .addHelpText('after', '\nWhatever the policy says of the card or of the id outranks it.')
    .addHelpText(
      'after',
      examples(
        'sparc visitor add --id guest-7 --name "Grace Hopper" --card h10301:12:4711 --profile guests --for 8h --key ada.key',
      ),
    )
    .action((flags: VisitorFlags) => addVisitor(cli, flags));
}

async function revoke(cli: Cli, subjectId: string, { holder, ...flags }: RevokeFlags): Promise<void> {
  const subject = holder ? 'holder' : 'credential';
  const what = holder ? `Every credential of ${subjectId} is to end.` : `Credential ${subjectId} is to end.`;
  const operator = new SiteOperator(flags);
  operator.assertListed({ [subject]: [subjectId] });
  return direct(cli, operator, [{ kind: 'revoke', subject, subjectId }], what);
}

async function addVisitor(
  cli: Cli,
  { id, name, card, profile, for: lastsMs, from, ...flags }: VisitorFlags,
): Promise<void> {
  const [identifier, begin] = [cardOf(card), from === undefined ? undefined : instantOf(from)];
  const operator = new SiteOperator(flags);
  operator.assertListed({ profile });
  const fromUnixMs = begin ?? (await operator.nowUnixMs());
  const untilUnixMs = fromUnixMs + lastsMs;
  const visitor = { id, name, identifier, profiles: [...profile], fromUnixMs, untilUnixMs };
  const until = new Date(untilUnixMs).toISOString();
  return direct(cli, operator, [{ kind: 'visitor', visitor }], `${id} is to be let in until ${until}.`);
}

/** Throws ERR_CLI_USAGE, ERR_CARD_FORMAT_UNKNOWN or ERR_CARD_FIELD_RANGE. */
function cardOf(text: string): Visitor['identifier'] {
  const [format = '', second = '', third = '', ...rest] = text.split(':');
  const isRaw = format === 'raw' && /^\d{1,3}$/.test(second) && /^[0-9a-fA-F]+$/.test(third);
  const isDecoded = /^\d*$/.test(second) && /^\d{1,24}$/.test(third);
  if (rest.length > 0 || !(isRaw || (format !== 'raw' && isDecoded))) {
    throw new SparcError('ERR_CLI_USAGE', `'${text}' is no card such as h10301:12:4711 or raw:56:04a1b2c3d4e5f6`);
  }
  const identifier = isRaw
    ? { bits: Number(second), value: third.toLowerCase() }
    : { format, ...(second !== '' && { facility: Number(second) }), number: third };
  identifierKey(identifier);
  return identifier;
}

function instantOf(text: string): number {
  const unixMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(unixMs)) return unixMs;
  throw new SparcError('ERR_CLI_USAGE', `'${text}' is no instant such as 2026-03-04T08:00:00Z`);
}
