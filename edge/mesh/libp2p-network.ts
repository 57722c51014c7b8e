import type { Connection, PeerInfo, Stream } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { isSparcError } from '@sparc/protocol/errors';
import type { Clock, MeshNetwork, MeshNetworkHandlers, MeshReply, Random, Timer } from '@sparc/protocol/ports';
import type { SignedRoster } from '@sparc/protocol/roster';
import { formatAddress, parseAddress } from './addresses.js';
import { Callers } from './callers.js';
import { FrameStream } from './frame-stream.js';
import { Frame } from './frames.js';
import { toHex } from './hex.js';
import * as keeper from './keeper.js';
import { createNode, keyOf, peerOf, type Node, type NodeOptions } from './libp2p-node.js';
import { fullCredit, SAID_PACE, SERVED_PACE, spend, type Credit } from './pace.js';
import * as session from './session.js';

const SESSION_PROTOCOL = '/sparc/session/1';
const RANGE_PROTOCOL = '/sparc/range/1';
/** Bytes that a neighbour has not taken yet; one that takes no more is too slow to be one. */
const UNSENT_BYTES_MAX = 4_194_304;
/** A session that was open for so long when its neighbour called anew has lost its other end without a word. */
const STALE_AFTER_MS = 5_000;
/** For all addresses of a neighbour, greeting excluded: when all of a site come back at once, a slow CPU takes 10 s. */
const DIAL_MAX_MS = 15_000;
/** For one of several addresses: it may be one that swallows what is sent to it. */
const DIAL_ADDRESS_MIN_MS = 5_000;
/** Requests of one neighbour that are served at a time. */
const SERVED_AT_ONCE_MAX = 4;
/** A neighbour that takes nothing of what it asked for. */
const STALLED_AFTER_MS = 30_000;
/** Of one neighbour, found by multicast DNS, where anybody may claim anything. */
const FOUND_ADDRESSES_MAX = 8;

export interface Libp2pNetworkOptions extends Omit<NodeOptions, 'publicKey'> {
  readonly siteId: string;
}

export interface Libp2pNetworkDeps extends Omit<session.SessionSite, 'siteId' | 'isWanted'> {
  readonly clock: Clock;
  readonly random: Random;
  /** The newest roster: who may connect, and where they are. */
  members(): readonly { readonly key: string; readonly addresses: readonly string[] }[];
  roster(): SignedRoster;
  onLog(fields: object, message: string): void;
}

interface Session {
  readonly neighbour: string;
  readonly connection: Connection;
  /** Undefined until its stream is there. */
  frames: FrameStream | undefined;
  readonly greeting: readonly session.SessionEffect[];
  state: session.SessionState;
  openedAtMs: number;
  timer: Timer | undefined;
  unsentBytes: number;
  said: Credit;
  served: Credit;
}

/**
 * The mesh over libp2p. Who is spoken to, when a link is dead and when it is tried again is decided here, by `session` and
 * `keeper`; a neighbour is slowed down rather than cut off, so that no score and no burst can take a mesh apart.
 */
export class Libp2pNetwork implements MeshNetwork {
  #node: Node | undefined;
  #handlers: MeshNetworkHandlers | undefined;
  #keeper: keeper.KeeperState;
  #keeperTimer: Timer | undefined;
  /** By connection. */
  readonly #sessions = new Map<string, Session>();
  /** Those that are admitted, by neighbour. */
  readonly #open = new Map<string, Session>();
  /** Where multicast DNS saw a member. */
  readonly #foundAt = new Map<string, readonly string[]>();
  /** Which of its addresses a member is called at next. */
  readonly #addressIndex = new Map<string, number>();
  readonly #waits = new Set<() => void>();
  readonly #callers: Callers;
  #stopped = false;

  constructor(
    private readonly deps: Libp2pNetworkDeps,
    private readonly options: Libp2pNetworkOptions,
  ) {
    this.#callers = new Callers(deps.clock, (key) => this.#isMember(key));
    this.#keeper = keeper.emptyKeeper(toHex(deps.signer.publicKey));
  }

  /** Where it listens, as `host:port`; empty before it does. */
  get addresses(): readonly string[] {
    return (this.#node?.getMultiaddrs() ?? []).map(formatAddress);
  }

  /** Of the last ping that a neighbour answered; undefined before, and for whoever is not here. */
  roundTripMs(neighbour: string): number | undefined {
    return this.#open.get(neighbour)?.state.roundTripMs;
  }

  async start(handlers: MeshNetworkHandlers): Promise<void> {
    this.#handlers = handlers;
    const node = await createNode(
      { ...this.options, publicKey: this.deps.signer.publicKey },
      {
        mayCall: (key) => this.#isMember(key),
        mayBeCalledBy: (key) =>
          this.#callers.mayCall(
            key,
            [...this.#sessions.values()].map(({ neighbour }) => neighbour),
          ),
      },
    );
    this.#node = node;
    node.addEventListener('connection:open', ({ detail }) => this.#onConnection(detail));
    node.addEventListener('connection:close', ({ detail }) => this.#onClosed(detail));
    node.services.discovery?.addEventListener('peer', ({ detail }) => this.#onFound(detail));
    await node.handle(SESSION_PROTOCOL, (stream, connection) => this.#greet(connection, stream));
    await node.handle(RANGE_PROTOCOL, (stream, connection) => this.#serve(connection, stream), {
      maxInboundStreams: SERVED_AT_ONCE_MAX,
    });
    this.membersChanged();
  }

  /** There is a newer roster: whoever is no longer on it is hung up on, whoever is new is called. */
  membersChanged(): void {
    const members = this.deps.members().map(({ key }) => key);
    this.#callers.rosterChanged();
    for (const each of this.#open.values()) {
      if (!members.includes(each.neighbour)) this.#end(each, 'it is no longer on the roster', true);
    }
    this.#keep({ kind: 'members', members });
  }

  send(neighbour: string, message: Uint8Array): void {
    const open = this.#open.get(neighbour);
    if (open !== undefined) this.#drive(open, { kind: 'send', message });
  }

  request(neighbour: string, request: Uint8Array): MeshReply {
    const abort = new AbortController();
    return {
      cancel: () => abort.abort(),
      [Symbol.asyncIterator]: () => this.#ask(neighbour, request, abort.signal),
    };
  }

  refuse(neighbour: string, why: string): void {
    const open = this.#open.get(neighbour);
    if (open !== undefined) this.#end(open, why, true);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#keeperTimer?.cancel();
    for (const wake of this.#waits) wake();
    for (const { timer, connection } of this.#sessions.values()) {
      timer?.cancel();
      connection.abort(new Error('it stops'));
    }
    await this.#node?.stop();
  }

  #isMember(key: string): boolean {
    return this.deps.members().some((member) => member.key === key);
  }

  #onConnection(connection: Connection): void {
    if (this.#stopped) return connection.abort(new Error('it stops'));
    const { clock, random } = this.deps;
    const neighbour = keyOf(connection.remotePeer);
    const nowMs = clock.monotonicMs();
    const { state, effects } = session.openSession(
      {
        version: session.SESSION_VERSION,
        site: this.options.siteId,
        nonce: random.bytes(16),
        roster: this.deps.roster(),
      },
      nowMs,
    );
    const greeted: Session = {
      neighbour,
      connection,
      frames: undefined,
      greeting: effects,
      state,
      openedAtMs: Infinity,
      timer: undefined,
      unsentBytes: 0,
      said: fullCredit(SAID_PACE, nowMs),
      served: fullCredit(SERVED_PACE, nowMs),
    };
    this.#sessions.set(connection.id, greeted);
    this.#arm(greeted);
    this.#keep({ kind: 'greeting', neighbour });
    if (connection.direction !== 'outbound') return;
    connection.newStream(SESSION_PROTOCOL).then(
      (stream) => this.#greet(connection, stream),
      (error: unknown) => this.#end(greeted, asError(error).message, false),
    );
  }

  #onClosed({ id }: Connection): void {
    const closed = this.#sessions.get(id);
    if (closed !== undefined) this.#end(closed, 'the connection is closed', false);
  }

  #onFound({ id, multiaddrs }: PeerInfo): void {
    const neighbour = keyOf(id);
    if (!this.#isMember(neighbour) || this.#open.has(neighbour)) return;
    this.#foundAt.set(neighbour, multiaddrs.slice(0, FOUND_ADDRESSES_MAX).map(formatAddress));
    this.#keep({ kind: 'found', neighbour });
  }

  /** Whoever called opens the one stream of the session. */
  #greet({ id }: Connection, stream: Stream): void {
    const greeted = this.#sessions.get(id);
    if (greeted === undefined || greeted.frames !== undefined)
      return stream.abort(new Error('one session a connection'));
    const frames = new FrameStream(stream);
    greeted.frames = frames;
    this.#execute(greeted, greeted.greeting);
    void this.#read(greeted, frames);
  }

  async #read(from: Session, frames: FrameStream): Promise<void> {
    const { clock } = this.deps;
    try {
      while (from.state.phase !== 'ended') {
        const bytes = await frames.read();
        if (bytes === undefined) return this.#end(from, 'it hung up', false);
        this.#drive(from, { kind: 'frame', frame: Frame.decode(bytes) });
        const { credit, waitMs } = spend(SAID_PACE, from.said, clock.monotonicMs(), bytes.length);
        from.said = credit;
        if (waitMs > 0) await this.#wait(waitMs);
      }
    } catch (error) {
      this.#end(from, asError(error).message, isSparcError(error));
    }
  }

  #drive(on: Session, input: session.SessionInput): void {
    if (this.#stopped) return;
    const { state, effects } = session.step(
      on.state,
      this.deps.clock.monotonicMs(),
      input,
      on.neighbour,
      this.#site(on),
    );
    on.state = state;
    this.#execute(on, effects);
    this.#arm(on);
  }

  #site(on: Session): session.SessionSite {
    const { deps } = this;
    return {
      siteId: this.options.siteId,
      signer: deps.signer,
      verify: deps.verify,
      admits: (neighbour, roster) => deps.admits(neighbour, roster),
      isWanted: () => this.#isWanted(on),
    };
  }

  #arm(on: Session): void {
    on.timer?.cancel();
    const atMs = session.nextDeadlineMs(on.state);
    if (atMs === Infinity || this.#stopped) return;
    const { clock } = this.deps;
    on.timer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), () => this.#drive(on, { kind: 'time' }));
  }

  #execute(on: Session, effects: readonly session.SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'frame':
          this.#write(on, Frame.encode(effect.frame));
          break;
        case 'open':
          this.#admit(on);
          break;
        case 'message':
          if (this.#open.get(on.neighbour) === on) this.#handlers?.onMessage(on.neighbour, effect.message);
          break;
        case 'end':
          this.#end(on, effect.why, effect.refused);
          break;
      }
    }
  }

  #write(on: Session, bytes: Uint8Array): void {
    on.unsentBytes += bytes.length;
    if (on.unsentBytes > UNSENT_BYTES_MAX) return this.#end(on, 'it takes nothing', false);
    on.frames?.write(bytes).then(
      () => (on.unsentBytes -= bytes.length),
      (error: unknown) => this.#end(on, asError(error).message, false),
    );
  }

  /** After a power cut the other end knows nothing of an older session, which then is dead. */
  #isWanted({ neighbour, state }: Session): boolean {
    const before = this.#open.get(neighbour);
    return before === undefined || state.startedAtMs - before.openedAtMs > STALE_AFTER_MS;
  }

  #admit(on: Session): void {
    const { neighbour } = on;
    const before = this.#open.get(neighbour);
    if (before !== undefined) this.#end(before, 'another session with it takes its place', false);
    on.openedAtMs = this.deps.clock.monotonicMs();
    this.#open.set(neighbour, on);
    this.#keep({ kind: 'connected', neighbour });
    this.deps.onLog({ neighbour }, 'a neighbour is here');
    this.#handlers?.onConnected(neighbour);
  }

  #end(ended: Session, why: string, refused: boolean): void {
    const { neighbour, connection } = ended;
    if (!this.#sessions.delete(connection.id)) return;
    ended.state = { ...ended.state, phase: 'ended' };
    ended.timer?.cancel();
    connection.abort(new Error(why));
    if (this.#stopped) return;
    if (refused) this.#callers.refuse(neighbour);
    const wasOpen = this.#open.get(neighbour) === ended;
    if (wasOpen || refused)
      this.deps.onLog({ neighbour, why }, refused ? 'a neighbour is refused' : 'a neighbour is lost');
    if (wasOpen) {
      this.#open.delete(neighbour);
      this.#handlers?.onDisconnected(neighbour);
    }
    if (!this.#open.has(neighbour)) this.#keep({ kind: 'disconnected', neighbour, refused });
  }

  async #serve({ id }: Connection, stream: Stream): Promise<void> {
    const to = this.#sessions.get(id);
    if (to === undefined || this.#open.get(to.neighbour) !== to) return stream.abort(new Error('not admitted'));
    const { clock } = this.deps;
    const pieces = new FrameStream(stream);
    const stall = () => clock.setTimer(STALLED_AFTER_MS, () => stream.abort(new Error('it takes nothing')));
    let stalled = stall();
    try {
      const request = (await pieces.read()) ?? new Uint8Array();
      await this.#payFor(to, request);
      for (const piece of this.#handlers?.serve(to.neighbour, request) ?? []) {
        await pieces.write(piece);
        await this.#payFor(to, piece);
        stalled.cancel();
        stalled = stall();
      }
      await stream.close();
    } catch (error) {
      stream.abort(asError(error));
    } finally {
      stalled.cancel();
    }
  }

  async #payFor(to: Session, piece: Uint8Array): Promise<void> {
    const { credit, waitMs } = spend(SERVED_PACE, to.served, this.deps.clock.monotonicMs(), piece.length);
    to.served = credit;
    if (waitMs > 0) await this.#wait(waitMs);
  }

  /** Ends early when all stops. */
  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        this.#waits.delete(wake);
        resolve();
      };
      const timer = this.deps.clock.setTimer(delayMs, wake);
      this.#waits.add(wake);
    });
  }

  async *#ask(neighbour: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const connection = this.#open.get(neighbour)?.connection;
    if (connection === undefined || signal.aborted) return;
    const stream = await connection.newStream(RANGE_PROTOCOL, { signal });
    const pieces = new FrameStream(stream);
    const cancel = () => stream.abort(new Error('no more is wanted'));
    signal.addEventListener('abort', cancel);
    try {
      await pieces.write(request);
      for (let piece = await pieces.read(); piece !== undefined; piece = await pieces.read()) yield piece;
      await stream.close();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
      if (stream.status === 'open') cancel();
    }
  }

  #keep(input: keeper.KeeperInput): void {
    if (this.#stopped) return;
    const { clock } = this.deps;
    const { state, call } = keeper.step(this.#keeper, clock.monotonicMs(), input);
    this.#keeper = state;
    for (const neighbour of call) void this.#call(neighbour);
    this.#keeperTimer?.cancel();
    const atMs = keeper.nextDeadlineMs(this.#keeper);
    if (atMs === Infinity) return;
    this.#keeperTimer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), () => this.#keep({ kind: 'time' }));
  }

  /** At all its addresses in turn, the last good one first. */
  async #call(neighbour: string): Promise<void> {
    const addresses = this.#addressesOf(neighbour);
    const addressMs = Math.max(DIAL_ADDRESS_MIN_MS, DIAL_MAX_MS / addresses.length);
    const first = this.#addressIndex.get(neighbour) ?? 0;
    for (let turn = 0; turn < addresses.length && !this.#stopped && !this.#open.has(neighbour); turn += 1) {
      const index = (first + turn) % addresses.length;
      try {
        // Although a connection may still be there that has lost its other end.
        const options = { force: true, signal: AbortSignal.timeout(addressMs) };
        await this.#node?.dial(addresses[index] as Multiaddr, options);
        this.#addressIndex.set(neighbour, index);
        break;
      } catch {
        // Whoever is not there is called at its next address, and then again.
      }
    }
    this.#keep({ kind: 'called', neighbour });
  }

  #addressesOf(neighbour: string): readonly Multiaddr[] {
    const told = this.deps.members().find(({ key }) => key === neighbour)?.addresses ?? [];
    const known = new Set([...told, ...(this.#foundAt.get(neighbour) ?? [])]);
    const id = `/p2p/${peerOf(neighbour).toString()}`;
    return [...known].flatMap(parseAddress).map((address) => address.encapsulate(id));
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
