import type { Batch, SignedHead } from '../ledger/index.js';
import type { AuthorLog } from './author-log.js';
import type { Heads } from './messages.js';

/** By author, in hex. */
export type TipsByAuthor = ReadonlyMap<string, readonly SignedHead[]>;

export interface Neighbour {
  /** Another map whenever they change. */
  readonly tips: TipsByAuthor;
  /** Members that it hears itself, in hex: what these write reaches it without help. */
  readonly neighbours: ReadonlySet<string>;
  /** It told of all that it has: a log of which it has no tips is one that it does not hold. */
  readonly hasToldAll: boolean;
  /** By author: a log that it did not bring, and when it may be asked for it again. */
  readonly failures: ReadonlyMap<string, Failure>;
}

export interface Failure {
  readonly pauseMs: number;
  readonly askAgainAtMs: number;
}

export interface Fetch {
  readonly neighbour: string;
  /** What the neighbour had announced when it was asked. */
  readonly tips: readonly SignedHead[];
  readonly heardAtMs: number;
  /** Since when it has not brought FETCH_BYTES_MIN, and how much it has. */
  readonly slowSinceMs: number;
  readonly broughtBytes: number;
}

/** Entries that are new on the own disk, for neighbours that follow closely. */
export interface Push {
  /** In hex. */
  readonly author: string;
  readonly batch: Batch;
  /** Neighbours that have pushed it themselves. */
  readonly holders: ReadonlySet<string>;
}

/** How one gateway keeps its replicas of all logs up to date with its neighbours. */
export interface ReplicationState {
  /** The own author: nobody has more of its log than its writer, unless the disk was set back. */
  readonly self: string;
  /** The site authority, whose log says who belongs to the site and what is in force: it waits for no other. */
  readonly authority: string;
  /** What is on the own disk, by author: of the own log also what only replicas have. */
  readonly logs: ReadonlyMap<string, AuthorLog>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  /** By author, of whose log they announced more than is held: neighbours, one at least. */
  readonly ahead: ReadonlyMap<string, ReadonlySet<string>>;
  /** At most one for an author. */
  readonly fetches: ReadonlyMap<string, Fetch>;
  /** Authors who are neighbours: since when somebody else has more of their logs than they announced. */
  readonly awaited: ReadonlyMap<string, number>;
  /** Authors whose tips changed since the last announcement. */
  readonly changed: ReadonlySet<string>;
  /** The neighbours are not those that were told last. */
  readonly haveNeighboursChanged: boolean;
  /** What neighbours are to be pushed. */
  readonly pushes: readonly Push[];
  readonly announcedAtMs: number;
  readonly announcedAllAtMs: number;
  readonly pushedAtMs: number;
}

export const nothingHeld = (self: string, authority: string): ReplicationState => ({
  self,
  authority,
  logs: new Map(),
  neighbours: new Map(),
  ahead: new Map(),
  fetches: new Map(),
  awaited: new Map(),
  changed: new Set(),
  haveNeighboursChanged: false,
  pushes: [],
  announcedAtMs: -Infinity,
  announcedAllAtMs: -Infinity,
  pushedAtMs: -Infinity,
});

export interface HeadsInput {
  readonly kind: 'heads';
  readonly neighbour: string;
  /** Signed by their authors, all of them on the roster: checked by whoever hands them in. */
  readonly tips: TipsByAuthor;
  readonly complete: boolean;
  /** Members that the neighbour hears, in hex; none: those that it told of before. */
  readonly neighbours?: readonly string[];
  /** It has these, too. */
  readonly pushed?: readonly Batch[];
}

export type ReplicationInput =
  /** A neighbour is admitted: it may be spoken to. */
  | { readonly kind: 'connected'; readonly neighbour: string }
  | { readonly kind: 'disconnected'; readonly neighbour: string }
  | HeadsInput
  /** A log is on the own disk up to here. `pushed`: what is new, where it was just written or pushed here. */
  | { readonly kind: 'stored'; readonly author: string; readonly log: AuthorLog; readonly pushed?: readonly Batch[] }
  /** A fetch brought something new, of so many bytes. */
  | { readonly kind: 'progress'; readonly author: string; readonly sizeBytes: number }
  /** A fetch ended: all that the neighbour had is stored, or it failed. */
  | { readonly kind: 'fetched'; readonly neighbour: string; readonly author: string }
  | { readonly kind: 'time' };

export type ReplicationEffect =
  | { readonly kind: 'send'; readonly neighbour: string; readonly heads: Heads }
  | { readonly kind: 'fetch'; readonly neighbour: string; readonly author: string }
  | { readonly kind: 'giveUp'; readonly neighbour: string; readonly author: string };

export interface ReplicationStep {
  readonly state: ReplicationState;
  readonly effects: readonly ReplicationEffect[];
}
