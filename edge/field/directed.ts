import type { DirectiveOf } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { headFromText } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import {
  DirectiveDesk,
  DIRECTIVES_HEARD_AT_ONCE_MAX,
  isInForce,
  OperatorPace,
  tooFast,
  type DirectiveDeskDeps,
  type DirectiveSinks,
  type DirectiveSite,
  type Outcome,
} from '../directives/index.js';
import type { PolicyView } from '../access/index.js';
import type { HeardEntry, Peers } from '../heard/index.js';
import type { PassageBook } from '../passages/index.js';
import type { RevocationBook } from '../revocation/index.js';
import type { SiteModeKeeper } from '../site-mode/index.js';
import type { VisitorBook } from '../visitors/index.js';
import type { DoorSet } from './door-set.js';
import type { OrderDesk } from './order-desk.js';
import { isUnlisted } from './is-unlisted.js';
import type { Recorder } from './recorder.js';
import type { StampClock } from './stamp-clock.js';

/** A clock that shows a time before a command was carried, by more than this, says nothing about its deadline: as with stamps. */
const CLOCKS_APART_MAX_MS = 240_000;

/** The site whose operators direct the gateway. */
export interface DirectedSite extends DirectiveSite {
  /** Makes an expulsion count that an operator ordered, and records it. */
  readonly expel: DirectiveSinks['expel'];
  /** What was given here shortly before the start, oldest first. Absent: nothing. */
  readonly given?: () => Promise<readonly HeardEntry[]>;
}

export interface DirectedDeps extends Pick<DirectiveDeskDeps, 'onFailure'> {
  readonly clock: Clock;
  readonly stamps: StampClock;
  readonly recorder: Recorder;
  readonly mode: SiteModeKeeper;
  readonly revocations: RevocationBook;
  readonly visitors: VisitorBook;
  readonly passages: PassageBook;
  readonly peers: Peers;
  readonly doors: DoorSet;
  readonly orders: OrderDesk;
  /** Of the policy in force. */
  readonly view: () => PolicyView | undefined;
}

/** The desk of a field, whose parts carry out what operators direct. */
export function directiveDesk(
  { expel, site, authority, verify, store }: DirectedSite,
  deps: DirectedDeps,
): DirectiveDesk {
  const { clock, stamps, recorder, mode, visitors, onFailure } = deps;
  return new DirectiveDesk({
    site,
    authority,
    verify,
    store,
    clock,
    nowUnixMs: () => stamps.nowUnixMs(),
    sinks: directiveSinks(deps, expel, authority),
    retract: ({ id, kind }) => {
      if (kind === 'visitor') visitors.end(id, 'ERR_DIRECTIVE_NOT_ENTITLED');
      else mode.retract(id, 'ERR_DIRECTIVE_NOT_ENTITLED');
    },
    carriedAgain: ({ id, kind }, carriedUnixMs) => {
      if (kind === 'visitor') visitors.carriedAgain(id, carriedUnixMs);
    },
    record: recorder.record,
    commit: (record) => recorder.commit({ record }),
    onFailure,
  });
}

/** What directives come to in a field. */
function directiveSinks(deps: DirectedDeps, expel: DirectiveSinks['expel'], authority: string): DirectiveSinks {
  // Whoever gives at many gateways has no more at the one whose door it is.
  const doorPace = new OperatorPace(DIRECTIVES_HEARD_AT_ONCE_MAX);
  const { clock, stamps, mode, revocations, visitors, passages, peers, doors, orders } = deps;
  return {
    raise: async ({ directive: { id, issuedUnixMs, what, level, scope, instead }, ...who }) => {
      const part = { ...(level !== undefined && { level }), ...(scope && { scope }), ...(instead && { instead }) };
      return asOutcome(
        await mode.apply({ kind: 'raise', directive: id, what, atUnixMs: issuedUnixMs, ...part, ...who }),
      );
    },
    release: async ({ directive: { id, raises }, ...who }) =>
      asOutcome(await mode.apply({ kind: 'release', directive: id, raises, ...who })),
    // One that the policy does not name here may be of another revision.
    revoke: async ({ directive: { id, subject, subjectId }, by, cause, carriedUnixMs }) => {
      if (revocations.has(subject, subjectId, id)) return 'unchanged';
      const origin = { isUnlisted: isUnlisted(deps, subject, subjectId), directive: id, carriedUnixMs, cause };
      await revocations.revoke(subject, subjectId, by, origin);
      return 'applied';
    },
    visitor: async ({ directive: { id, visitor }, operator, by, cause, carriedUnixMs }): Promise<Outcome> => {
      await visitors.add({ directive: id, carriedUnixMs, operator, by, visitor }, await cause);
      return 'applied';
    },
    forgive: async ({ directive: { id, holder }, by, cause, carriedUnixMs }): Promise<Outcome> => {
      passages.forgive(holder, by, { directive: id, causeId: await cause, carriedUnixMs });
      return 'applied';
    },
    door: async ({ directive, operator, by, cause, carriedUnixMs, once }) => {
      const { id, door, order } = directive;
      if (doors.get(door) === undefined) return 'elsewhere';
      if (operator !== authority && !doorPace.take(operator, clock.monotonicMs())) throw tooFast();
      await once();
      assertInTime(directive, stamps.nowUnixMs() - carriedUnixMs, clock.wall().unixMs - carriedUnixMs);
      await orders.obey({ ...order, door }, by, { directive: id, causeId: await cause });
      return 'applied';
    },
    expel: async (carried) => {
      const { gateway, heads } = carried.directive;
      if (!peers.isOfSite(gateway)) {
        throw new SparcError('ERR_MESH_MEMBER_UNKNOWN', `${gateway} is on no roster that is known here`, {
          key: gateway,
        });
      }
      const expelled = () => mode.expelled(gateway, heads.map(headFromText));
      try {
        const outcome = await expel(carried);
        expelled();
        return outcome;
      } catch (error) {
        if (isInForce(error)) expelled();
        throw error;
      }
    },
  };
}

const asOutcome = (outcome: Awaited<ReturnType<SiteModeKeeper['apply']>>): Outcome =>
  outcome === 'applied' ? 'applied' : 'unchanged';

/**
 * Nothing opens late; what a clock shows that is plainly wrong is no time. Where it was given it was in time, and the age of
 * the entry goes by the clock that all gateways follow: two whose clocks differ by more than its lifetime agree.
 */
function assertInTime({ issuedUnixMs, expiresUnixMs }: DirectiveOf<'door'>, ageMs: number, wallAgeMs: number): void {
  if (wallAgeMs >= -CLOCKS_APART_MAX_MS && ageMs <= expiresUnixMs - issuedUnixMs) return;
  throw new SparcError('ERR_DIRECTIVE_EXPIRED', 'by the clock of this gateway it is not the time for it');
}
