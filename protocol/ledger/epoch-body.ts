import { flag } from './codecs.js';
import { SignedHead } from './head.js';
import { message, optional, required, type Infer } from './message.js';

/** Kind of the first entry of every epoch. */
export const EPOCH_KIND = 'epoch';

export const EpochBody = message({
  /** The head before it: evidence of where the log stood. Absent where the author knows of none. */
  previous: optional(1, SignedHead),
  /** The author no longer has the entries before this one: its database was damaged, and this log begins anew. */
  predecessorLost: required(2, flag),
});
export type EpochBody = Infer<typeof EpochBody>;
