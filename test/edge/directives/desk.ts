import { DirectiveDesk, VOLATILE_DIRECTIVES, type DirectiveSinks, type DirectiveStore } from '@sparc/edge/directives';
import { toHex, verifySignature } from '@sparc/edge/platform';
import type { EventDraft } from '@sparc/protocol/events';
import { VirtualClock } from '@sparc/simulator/world';
import { MemoryJournal } from '../../support/memory-journal.js';
import { testSigner } from '../../support/test-signer.js';

export const AUTHORITY_SEED = 1;
const operator = (seed: number) => ({ seed, key: toHex(testSigner(seed).publicKey) });
export const OPERATORS = [operator(7), operator(8)] as const;

/** A desk whose raises are a set. */
export function deskOf(
  store: DirectiveStore = VOLATILE_DIRECTIVES,
  onFailure: (error: unknown) => void = fail,
  others: Partial<DirectiveSinks> = {},
) {
  const clock = new VirtualClock({ startUnixMs: 0 });
  const journal = new MemoryJournal(clock);
  const recorded: EventDraft[] = [];
  const inForce = new Set<string>();
  const applied = () => 'applied' as const;
  const sinks: DirectiveSinks = {
    raise: ({ directive: { id } }) => {
      inForce.add(id);
      return 'applied';
    },
    release: applied,
    revoke: applied,
    visitor: applied,
    forgive: applied,
    expel: applied,
    door: applied,
    ...others,
  };
  const desk = new DirectiveDesk({
    clock,
    site: 'site',
    authority: operator(AUTHORITY_SEED).key,
    verify: verifySignature,
    store,
    sinks,
    retract: ({ id }) => void inForce.delete(id),
    record: (event) => {
      recorded.push(event);
      return Promise.resolve(undefined);
    },
    commit: (record) => journal.append({ record }),
    onFailure,
  });
  desk.start();
  return { desk, clock, inForce, recorded };
}

function fail(error: unknown): never {
  throw error;
}
