import { bytes, double, message, oneOf, optional, required, text, uint, type Infer } from '@sparc/protocol/ledger';
import { TIME_QUALITIES } from '@sparc/protocol/ports';
import { SignedRoster } from '@sparc/protocol/roster';
import { FieldLife, Links } from './links.js';

/** What is said over a session stream; one of them a frame. */
export const Frame = message({
  hello: optional(
    1,
    message({
      version: required(1, uint(255)),
      site: required(2, text(64)),
      nonce: required(3, bytes(16)),
      /** The newest roster of whoever says it. */
      roster: required(4, SignedRoster),
    }),
  ),
  /** Signature of both ends' keys and nonces. */
  proof: optional(2, bytes(64)),
  /** Sent at, by the monotonic clock of whoever asks. */
  ping: optional(3, double),
  /** Of the ping that is answered. */
  pong: optional(4, double),
  /** For whoever uses the session. */
  message: optional(5, bytes(1, 1_048_576)),
  links: optional(6, Links),
  /** Beside a pong: what the clock of whoever answers says, and what that is worth. */
  time: optional(
    7,
    message({
      unixMs: required(1, double),
      quality: required(2, oneOf(TIME_QUALITIES)),
      errorMs: optional(3, double),
    }),
  ),
  /** Beside a pong: of whoever answers. Absent: it answers, or is of an earlier version. */
  field: optional(8, FieldLife),
});
export type Frame = Infer<typeof Frame>;
export type FrameTime = NonNullable<Frame['time']>;
export type Hello = NonNullable<Frame['hello']>;
