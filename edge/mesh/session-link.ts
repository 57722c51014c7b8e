import type { Connection, Stream } from '@libp2p/interface';
import { isSparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { FRAME_BYTES_MAX, FrameStream } from './frame-stream.js';
import { Frame, type FrameTime, type Hello } from './frames.js';
import { keyOf } from './libp2p-node.js';
import type { Links } from './links.js';
import { Pacer, type Credits } from './pace.js';
import * as session from './session.js';

/** Bytes that a neighbour has not taken yet; one that takes no more is too slow to be one. */
const UNSENT_BYTES_MAX = 4_194_304;
/** A frame of whoever has not proved its key: a roster and a little more. */
const HELLO_BYTES_MAX = 65_536;

/** Whose sessions they are. */
export interface LinkOwner extends Omit<session.SessionSite, 'isWanted'> {
  readonly clock: Clock;
  /** Of all neighbours, for what they say and for what they are served. */
  readonly credits: { readonly said: Credits; readonly served: Credits };
  isWanted(link: SessionLink): boolean;
  onOpen(link: SessionLink): void;
  onMessage(link: SessionLink, message: Uint8Array): void;
  onLinks(link: SessionLink, links: Links): void;
  onTime(link: SessionLink, time: FrameTime, roundTripMs: number): void;
  /** Whether the field of its gateway is silent; with each pong. */
  onField(link: SessionLink, isSilent: boolean): void;
  /** Once. `refused`: it broke a rule or does not belong here. */
  onEnd(link: SessionLink, why: string, refused: boolean): void;
}

/** The session on one connection, from the greeting to its end. */
export class SessionLink {
  /** The key that the transport proved, in hex. */
  readonly neighbour: string;
  /** For what it asks for. */
  readonly served: Pacer;
  readonly #said: Pacer;
  #frames: FrameStream | undefined;
  #state: session.SessionState;
  readonly #greeting: readonly session.SessionEffect[];
  #timer: Timer | undefined;
  #unsentBytes = 0;
  #isOver = false;

  constructor(
    readonly connection: Connection,
    hello: Hello,
    private readonly owner: LinkOwner,
  ) {
    const { clock, credits } = owner;
    this.neighbour = keyOf(connection.remotePeer);
    this.served = new Pacer(clock, credits.served, this.neighbour);
    this.#said = new Pacer(clock, credits.said, this.neighbour);
    const { state, effects } = session.openSession(hello, clock.monotonicMs());
    this.#state = state;
    this.#greeting = effects;
    this.#arm();
  }

  get startedAtMs(): number {
    return this.#state.startedAtMs;
  }

  get roundTripMs(): number | undefined {
    return this.#state.roundTripMs;
  }

  /** On the one stream of the session, which whoever called opens. */
  greet(stream: Stream): void {
    if (this.#isOver || this.#frames !== undefined) return stream.abort(new Error('one session a connection'));
    const frames = new FrameStream(stream, () => this.noteArrival());
    this.#frames = frames;
    this.#execute(this.#greeting);
    void this.#read(frames);
  }

  /** Something came from it, on whatever stream: on a slow link pongs wait behind all else. */
  noteArrival(): void {
    if (this.#state.unansweredCount > 0) this.#drive({ kind: 'arrival' });
  }

  /** Nothing is said before the session is open. */
  say(frame: Pick<Frame, 'message' | 'links'>): void {
    this.#drive({ kind: 'send', frame });
  }

  /** Idempotent. */
  end(why: string, refused: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#said.stop();
    this.served.stop();
    this.connection.abort(new Error(why));
    this.owner.onEnd(this, why, refused);
  }

  async #read(frames: FrameStream): Promise<void> {
    try {
      while (!this.#isOver) {
        const bytes = await frames.read(this.#state.phase === 'open' ? FRAME_BYTES_MAX : HELLO_BYTES_MAX);
        if (bytes === undefined) return this.end('it hung up', false);
        this.#drive({ kind: 'frame', frame: Frame.decode(bytes) });
        await this.#said.pay(bytes.length);
      }
    } catch (error) {
      // Only what is forged or malformed is refused.
      this.end(asError(error).message, isSparcError(error));
    }
  }

  #drive(input: session.SessionInput): void {
    if (this.#isOver) return;
    const { owner } = this;
    const { siteId, signer, verify } = owner;
    const site: session.SessionSite = {
      siteId,
      signer,
      verify,
      admits: (neighbour, roster) => owner.admits(neighbour, roster),
      isWanted: () => owner.isWanted(this),
      time: () => owner.time(),
      isFieldSilent: () => owner.isFieldSilent(),
    };
    const { state, effects } = session.step(this.#state, owner.clock.monotonicMs(), input, this.neighbour, site);
    this.#state = state;
    this.#execute(effects);
    this.#arm();
  }

  #execute(effects: readonly session.SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'frame':
          this.#write(Frame.encode(effect.frame));
          break;
        case 'open':
          this.owner.onOpen(this);
          break;
        case 'message':
          this.owner.onMessage(this, effect.message);
          break;
        case 'links':
          this.owner.onLinks(this, effect.links);
          break;
        case 'time':
          this.owner.onTime(this, effect.time, effect.roundTripMs);
          break;
        case 'field':
          this.owner.onField(this, effect.isSilent);
          break;
        case 'end':
          this.end(effect.why, effect.refused);
          break;
      }
    }
  }

  #arm(): void {
    this.#timer?.cancel();
    const atMs = session.nextDeadlineMs(this.#state);
    if (atMs === Infinity || this.#isOver) return;
    const { clock } = this.owner;
    this.#timer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), () => this.#drive({ kind: 'time' }));
  }

  #write(bytes: Uint8Array): void {
    this.#unsentBytes += bytes.length;
    if (this.#unsentBytes > UNSENT_BYTES_MAX) return this.end('it takes nothing', false);
    this.#frames?.write(bytes).then(
      () => (this.#unsentBytes -= bytes.length),
      (error: unknown) => this.end(asError(error).message, false),
    );
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
