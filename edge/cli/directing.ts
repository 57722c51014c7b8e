import { Option, type Command } from 'commander';
import type { DirectiveAnswer, DirectiveView } from '@sparc/protocol/delivery';
import {
  directiveId,
  signDirective,
  type DirectiveContent,
  type DirectiveKind,
  type DirectiveOf,
  type SignedDirective,
} from '@sparc/protocol/directive';
import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import { loadGatewayConfig } from '../config/index.js';
import type { DirectiveReceipt } from '../directives/index.js';
import { createNodeClock } from '../platform/index.js';
import type { Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { EXIT } from './exit-codes.js';
import { assertListed, type NamedIds } from './known-ids.js';
import { loadOperatorKey } from './operator-commands.js';
import { table } from './text-table.js';

/** Whoever gives a directive waits so long for the answers of gateways that are reached. */
export const ANSWERS_WAIT_MS = 3_000;
const ASK_INTERVAL_MS = 100;
/** Within it a directive is to be given, as from the page: clocks are minutes apart. One for a door is carried out at once. */
const LIFETIME_MS = 600_000;
const DOOR_LIFETIME_MS = 10_000;

/** The gateway may have taken what it did not answer. */
const IN_DOUBT: readonly ErrorCode[] = ['ERR_CLI_GATEWAY_UNREACHABLE', 'ERR_API_FIELD_SILENT'];

const UNLISTED =
  'WARNING: no gateway that carried it out has this id, in its policy or among its visitors. Should it come later, it is revoked.';

/** What a command directs. */
type DraftOf<K extends DirectiveKind> = Omit<DirectiveOf<K>, 'v' | 'id' | 'site' | 'issuedUnixMs' | 'expiresUnixMs'>;
export type DirectiveDraft = { [K in DirectiveKind]: DraftOf<K> }[DirectiveKind];

export interface DirectiveFlags {
  readonly config: string;
  readonly key: string;
  /** Ids that the policy in force here does not have are meant. */
  readonly unlisted?: true;
}

export const keyOption = (): Option =>
  new Option('--key <file>', 'key of the operator, as `sparc operator key` made it').env('SPARC_OPERATOR_KEY');

/**
 * The key of a command that goes another way too, such as `--by NAME`; undefined where it is to. A key that the environment
 * names gives way to `other`. Throws ERR_CLI_USAGE where both are asked for.
 */
export function keyUnless(other: string, command: Command): string | undefined {
  const key = command.getOptionValue('key') as string | undefined;
  if (command.getOptionValue(other) === undefined) return key;
  if (command.getOptionValueSource('key') !== 'cli') return undefined;
  throw new SparcError('ERR_CLI_USAGE', `--key and --${other} are two ways to do it: one of them`);
}

export const unlistedOption = (): Option =>
  new Option('--unlisted', 'also ids that the policy in force here does not have: an older or a later one may');

/** What became of a directive, for programs. */
export interface GivenDirective {
  readonly id: string;
  readonly kind: DirectiveKind;
  readonly receipt: DirectiveReceipt;
  readonly answers: readonly DirectiveAnswer[];
  /** Of a revocation: no gateway that carried it out knew anybody of that id. */
  readonly isUnlisted?: true;
}

/** The gateway that runs by a configuration, and through it the site. */
export class SiteOperator {
  readonly client: CommissionClient;
  readonly #dataDir: string;
  readonly #clock: Clock = createNodeClock();

  /** Throws ERR_CLI_GATEWAY_UNREACHABLE, or as `loadOperatorKey`. */
  constructor(private readonly flags: DirectiveFlags) {
    this.#dataDir = loadGatewayConfig(flags.config).dataDir;
    this.client = CommissionClient.of(this.#dataDir);
  }

  /** By the clock of the gateway, which may go by its neighbours and not by this machine. */
  async nowUnixMs(): Promise<number> {
    const { clock } = await this.client.site();
    return Math.floor(this.#clock.wall().unixMs + (clock.aheadMs ?? 0));
  }

  /** Throws ERR_CLI_USAGE for what nobody here has, unless such ids are meant. */
  assertListed(ids: NamedIds): void {
    if (this.flags.unlisted === undefined) assertListed(this.#dataDir, ids);
  }

  /**
   * Signs a directive, gives it to the gateway, and waits for those that are reached. `onGiven`: once it is given and before
   * anybody is waited for. Throws ERR_MESH_NOT_A_MEMBER, what the gateway refuses it by, or as `loadOperatorKey`.
   */
  async give(draft: DirectiveDraft, onGiven: (id: string) => void): Promise<GivenDirective> {
    const signer = loadOperatorKey(this.flags.key);
    const { roster } = await this.client.mesh();
    if (roster === undefined) {
      throw new SparcError('ERR_MESH_NOT_A_MEMBER', 'the gateway is a member of no site, or its mesh does not run');
    }
    const issuedUnixMs = await this.nowUnixMs();
    const directive = {
      v: 1,
      site: roster.site,
      issuedUnixMs,
      expiresUnixMs: issuedUnixMs + (draft.kind === 'door' ? DOOR_LIFETIME_MS : LIFETIME_MS),
      ...draft,
    } satisfies DirectiveContent;
    const signed = signDirective(signer, directive);
    const [id, kind] = [directiveId(signed), directive.kind];
    const receipt = await this.#directed(signed, id);
    onGiven(id);
    const answers = (await this.#answers(id))?.gateways ?? [];
    return { id, kind, receipt, answers, ...(isUnlisted(answers) && { isUnlisted: true as const }) };
  }

  async #directed(signed: SignedDirective, id: string): Promise<DirectiveReceipt> {
    try {
      return await this.client.direct(signed);
    } catch (error) {
      const isInDoubt = IN_DOUBT.some((code) => isSparcError(error, code));
      if (!isInDoubt || !isSparcError(error)) throw error;
      const message = `${error.message}; directive ${id} may have been given: look before giving it again`;
      throw new SparcError(error.code, message, { directive: id }, { cause: error });
    }
  }

  /** Undefined where even the own gateway has not read its own entry in time. */
  async #answers(id: string): Promise<DirectiveView | undefined> {
    const untilMs = this.#clock.monotonicMs() + ANSWERS_WAIT_MS;
    for (;;) {
      const view = await this.#view(id);
      if ((view !== undefined && isAnswered(view)) || this.#clock.monotonicMs() >= untilMs) return view;
      await new Promise<void>((resolve) => void this.#clock.setTimer(ASK_INTERVAL_MS, resolve));
    }
  }

  async #view(id: string): Promise<DirectiveView | undefined> {
    try {
      return await this.client.directive(id);
    } catch (error) {
      // It was given, whatever the gateway says now: an API that starts again answers later.
      if (isSparcError(error)) return undefined;
      throw error;
    }
  }
}

const isAnswered = ({ answeredBy, gateways }: DirectiveView): boolean =>
  answeredBy === 'one'
    ? gateways.length > 0
    : gateways.every(({ state, isReached }) => state !== 'unheard' || !isReached);

/** Gives directives one after the other and says who carried them out. `what`: for people, with a capital letter. */
export async function direct(
  cli: Cli,
  operator: SiteOperator,
  drafts: readonly DirectiveDraft[],
  what: string,
): Promise<void> {
  const given: GivenDirective[] = [];
  const onGiven = (id: string) => cli.output.note(`Directive ${id} is given.`);
  for (const draft of drafts) given.push(await operator.give(draft, onGiven));
  if (!given.every(isCarriedOut)) cli.exitCode = EXIT.operating;
  const [first] = given;
  const value = given.length === 1 ? first : given;
  cli.output.result(value, given.map((each) => directiveText(each, what)).join('\n\n'));
}

function isUnlisted(answers: readonly DirectiveAnswer[]): boolean {
  const applied = answers.filter(({ state }) => state === 'applied');
  return applied.length > 0 && applied.every((answer) => answer.isUnlisted === true);
}

/** By every gateway that is reached. Where nothing is known it is not: the own gateway is always asked. */
export const isCarriedOut = ({ receipt, answers }: GivenDirective): boolean =>
  receipt.outcome !== 'refused' &&
  answers.length > 0 &&
  answers.every(({ state, isReached }) => state === 'applied' || (state === 'unheard' && !isReached));

/** For people. */
export function directiveText({ id, kind, receipt, answers, isUnlisted }: GivenDirective, what: string): string {
  const rows = answers.map(({ name, state, isReached, atUnixMs, code }) => [
    name,
    state === 'unheard'
      ? isReached
        ? 'NO ANSWER'
        : 'NOT REACHED'
      : state === 'applied'
        ? 'applied'
        : state.toUpperCase(),
    atUnixMs === undefined ? '' : new Date(atUnixMs).toISOString(),
    code ?? '',
  ]);
  const trouble = receipt.message === undefined ? [] : [`At this gateway: ${receipt.message} (${receipt.code}).`];
  return [
    `${what} Directive ${id}.`,
    ...(rows.length === 0 ? [] : ['', ...table(['gateway', 'answer', 'at', 'why'], rows)]),
    '',
    ...trouble,
    verdict(kind, answers),
    ...(isUnlisted === true ? [UNLISTED] : []),
  ].join('\n');
}

function verdict(kind: DirectiveKind, answers: readonly DirectiveAnswer[]): string {
  if (kind === 'door') {
    return answers.length > 0
      ? 'The gateway of the door has answered.'
      : 'NOBODY has answered: the gateway of the door may not be reached. It does nothing that comes too late.';
  }
  if (answers.length === 0) {
    return 'Who has carried it out is NOT KNOWN: this gateway has not read it in the ledgers yet. It goes on by itself.';
  }
  const appliedCount = answers.filter(({ state }) => state === 'applied').length;
  const unheardCount = answers.filter(({ state }) => state === 'unheard').length;
  const later = unheardCount === 0 ? '' : ` ${unheardCount} will hear of it once they are reached.`;
  return `${appliedCount} of ${answers.length} gateways carried it out.${later}`;
}
