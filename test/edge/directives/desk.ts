import { DirectiveDesk, VOLATILE_DIRECTIVES, type DirectiveSinks, type DirectiveStore } from '@sparc/edge/directives';
import { toHex, verifySignature } from '@sparc/edge/platform';
import type { EventDraft } from '@sparc/protocol/events';
import { VirtualClock } from '@sparc/simulator/world';
import type { HeardEntry } from '@sparc/edge/heard';
import { encodeSignedDirective, type SignedDirective } from '@sparc/protocol/directive';
import { asHeard } from '../../support/as-heard.js';
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
  inForce = new Set<string>(),
  stampedUnixMs = 0,
) {
  const clock = new VirtualClock({ startUnixMs: 0 });
  const journal = new MemoryJournal(clock);
  const recorded: EventDraft[] = [];
  const opened: string[] = [];
  /** What becomes of a record that nothing waits for before it is in force. */
  const disk: { state: 'takes' | 'loses' | 'hangs' } = { state: 'takes' };
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
    door: async ({ directive, once }) => {
      await once();
      opened.push(directive.id);
      return applied();
    },
    ...others,
  };
  const desk = new DirectiveDesk({
    clock,
    nowUnixMs: () => Math.max(clock.wall().unixMs, stampedUnixMs),
    site: 'site',
    authority: operator(AUTHORITY_SEED).key,
    verify: verifySignature,
    store,
    sinks,
    retract: ({ id }) => void inForce.delete(id),
    carriedAgain: () => undefined,
    record: (event) => {
      recorded.push(event);
      if (disk.state === 'hangs') return new Promise(() => undefined);
      const entry = { author: 'e'.repeat(64), epoch: 1, sequence: recorded.length };
      return Promise.resolve(disk.state === 'takes' ? entry : undefined);
    },
    commit: (record) => journal.append({ record }),
    onFailure,
  });
  desk.start();
  return { desk, clock, inForce, opened, recorded, disk };
}

/** An entry that carries a directive, stamped at a time. */
export const carry = (signed: SignedDirective, unixMs: number, more: Partial<HeardEntry> = {}): HeardEntry =>
  asHeard({
    id: { author: 'c'.repeat(64), epoch: 1, sequence: 1 },
    hlc: { unixMs, counter: 0 },
    wallUnixMs: unixMs,
    timeQuality: 'synced',
    record: { name: 'directive.given', directive: encodeSignedDirective(signed) },
    ...more,
  });

/** A memory that a restart finds again, as a file gives it back. */
export function keptStore(): DirectiveStore {
  let saved: ReturnType<DirectiveStore['load']>;
  return { load: () => saved, save: async (state) => void (saved = structuredClone(state)) };
}

/** Lets a desk finish what it began. */
export const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

function fail(error: unknown): never {
  throw error;
}
