/** A lost neighbour is called again after this, and as often: a cable comes back at any time. */
export const REDIAL_MS = 1_000;
/** Of two members the one with the lower key calls; the other one only when nothing came for so long. */
export const FALLBACK_REDIAL_MS = 8_000;
/** But soon after a start: a neighbour with the lower key may still hold the link from before and so not call. */
export const FIRST_FALLBACK_MS = 1_500;
/** While a neighbour is greeted it is not called. */
export const GREETED_FOR_MS = 10_000;
/** A neighbour that was refused is not called before. */
export const REFUSED_FOR_MS = 30_000;
/** Above this a member has links to some of the others only. */
export const FULL_MESH_MAX = 16;
/** In a ring of members in the order of their keys: the nearest two on both sides, and chords across it. */
const RING_STEPS = [1, 2];
const CHORDS_COUNT = 2;

interface Call {
  readonly nextAtMs: number;
  readonly isCalling: boolean;
}

/** Who is to be called, and when: libp2p itself neither keeps links up nor finds them again. */
export interface KeeperState {
  readonly self: string;
  /** Neighbours that a link is wanted to. */
  readonly calls: ReadonlyMap<string, Call>;
  readonly connected: ReadonlySet<string>;
}

export const emptyKeeper = (self: string): KeeperState => ({ self, calls: new Map(), connected: new Set() });

export type KeeperInput =
  | { readonly kind: 'members'; readonly members: readonly string[] }
  /** There is a connection with it, one way or the other, and no session yet. */
  | { readonly kind: 'greeting'; readonly neighbour: string }
  | { readonly kind: 'connected'; readonly neighbour: string }
  | { readonly kind: 'disconnected'; readonly neighbour: string; readonly refused: boolean }
  /** A call ended, with or without a connection. */
  | { readonly kind: 'called'; readonly neighbour: string }
  | { readonly kind: 'time' };

export interface KeeperStep {
  readonly state: KeeperState;
  readonly call: readonly string[];
}

export function step(state: KeeperState, nowMs: number, input: KeeperInput): KeeperStep {
  const next = take(state, nowMs, input);
  const call = [...next.calls]
    .filter(([id, { nextAtMs, isCalling }]) => !isCalling && !next.connected.has(id) && nowMs >= nextAtMs)
    .map(([id]) => id);
  const calls = new Map(next.calls);
  for (const id of call) calls.set(id, { nextAtMs: nowMs + redialMs(state.self, id), isCalling: true });
  return { state: { ...next, calls }, call };
}

export function nextDeadlineMs({ calls, connected }: KeeperState): number {
  const due = [...calls].filter(([id, { isCalling }]) => !isCalling && !connected.has(id));
  return Math.min(Infinity, ...due.map(([, { nextAtMs }]) => nextAtMs));
}

const redialMs = (self: string, other: string): number => (self < other ? REDIAL_MS : FALLBACK_REDIAL_MS);

function take(state: KeeperState, nowMs: number, input: KeeperInput): KeeperState {
  const { self } = state;
  const calls = new Map(state.calls);
  const connected = new Set(state.connected);
  switch (input.kind) {
    case 'members': {
      const wanted = neighboursOf(self, input.members);
      for (const id of calls.keys()) if (!wanted.includes(id)) calls.delete(id);
      for (const id of wanted) {
        const firstAtMs = self < id ? nowMs : nowMs + FIRST_FALLBACK_MS;
        if (!calls.has(id)) calls.set(id, { nextAtMs: firstAtMs, isCalling: false });
      }
      return { ...state, calls };
    }
    case 'greeting': {
      const call = calls.get(input.neighbour);
      if (call !== undefined) calls.set(input.neighbour, { ...call, nextAtMs: nowMs + GREETED_FOR_MS });
      return { ...state, calls };
    }
    case 'connected':
      connected.add(input.neighbour);
      return { ...state, connected };
    case 'disconnected': {
      connected.delete(input.neighbour);
      const call = calls.get(input.neighbour);
      const delayMs = input.refused ? REFUSED_FOR_MS : redialMs(self, input.neighbour);
      if (call !== undefined) calls.set(input.neighbour, { ...call, nextAtMs: nowMs + delayMs });
      return { ...state, calls, connected };
    }
    case 'called': {
      const call = calls.get(input.neighbour);
      if (call !== undefined) calls.set(input.neighbour, { ...call, isCalling: false });
      return { ...state, calls };
    }
    case 'time':
      return state;
  }
}

/** Both ends of a link want it, and the ring holds together whichever member is gone. */
export function neighboursOf(self: string, members: readonly string[]): string[] {
  const others = members.filter((id) => id !== self);
  if (members.length <= FULL_MESH_MAX) return others;
  const ring = [...members].sort();
  const at = ring.indexOf(self);
  const chords = Array.from({ length: CHORDS_COUNT }, (_, index) =>
    Math.round((ring.length * (index + 1)) / (CHORDS_COUNT * 2)),
  );
  const steps = [...RING_STEPS, ...chords].flatMap((distance) => [distance, ring.length - distance]);
  const wanted = steps.map((distance) => ring[(at + distance) % ring.length]);
  return [...new Set(wanted)].filter((id) => id !== undefined && id !== self) as string[];
}
