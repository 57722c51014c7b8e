import '../platform/with-resolvers.js';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Connection, Libp2p, PeerId, PeerInfo, Stream } from '@libp2p/interface';
import { mdns } from '@libp2p/mdns';
import { noise } from '@libp2p/noise';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { lpStream, type LengthPrefixedStream } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { Clock, MeshNetwork, MeshNetworkHandlers, MeshReply, Random, Timer } from '@sparc/protocol/ports';
import type { SignedRoster } from '@sparc/protocol/roster';
import { Frame } from './frames.js';
import { fromHex, toHex } from './hex.js';
import * as keeper from './keeper.js';
import * as session from './session.js';

const SESSION_PROTOCOL = '/sparc/session/1';
const RANGE_PROTOCOL = '/sparc/range/1';
const FRAME_BYTES_MAX = 1_114_112;
/** Bytes that a neighbour has not taken yet; one that takes no more is too slow to be one. */
const UNSENT_BYTES_MAX = 4_194_304;
/** A session older than this whose neighbour connects anew has lost its other end without a word. */
const STALE_AFTER_MS = 5_000;
const DIAL_MAX_MS = 5_000;
/** All gateways of a site come back at once after a power cut, from one address where they are tested. */
const CONNECTIONS_MAX = 96;
const INBOUND_PER_SECOND_MAX = 200;
/** Requests of one neighbour that are served at a time. */
const SERVED_AT_ONCE_MAX = 4;

export interface Libp2pNetworkOptions {
  readonly siteId: string;
  /** Seed of the gateway's Ed25519 key, 32 bytes. */
  readonly seed: Uint8Array;
  /** 32 bytes, the same on all gateways of the site. */
  readonly siteSecret: Uint8Array;
  /** `host` and `port` to listen at; port 0: any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Look for others by multicast DNS. */
  readonly discover: boolean;
}

export interface Libp2pNetworkDeps extends session.SessionSite {
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
  readonly stream: Stream;
  readonly frames: LengthPrefixedStream<Stream>;
  state: session.SessionState;
  timer: Timer | undefined;
  unsentBytes: number;
  servedCount: number;
}

/**
 * The mesh over libp2p: TCP, pre-shared key, Noise, yamux. Who is spoken to, when a link is dead and when it is tried again
 * is decided here, by `session` and `keeper`: libp2p's own monitor, reconnection and gossip are not used.
 */
export class Libp2pNetwork implements MeshNetwork {
  #node: Libp2p | undefined;
  #handlers: MeshNetworkHandlers | undefined;
  #keeper: keeper.KeeperState;
  #keeperTimer: Timer | undefined;
  /** By connection. */
  readonly #sessions = new Map<string, Session>();
  /** Those that are admitted, by neighbour. */
  readonly #open = new Map<string, Session>();
  /** Where multicast DNS saw a member. */
  readonly #seenAt = new Map<string, readonly Multiaddr[]>();
  #stopped = false;

  constructor(
    private readonly deps: Libp2pNetworkDeps,
    private readonly options: Libp2pNetworkOptions,
  ) {
    this.#keeper = keeper.emptyKeeper(toHex(deps.signer.publicKey));
  }

  /** Where it listens, as `host:port`; empty before it does. */
  get addresses(): readonly string[] {
    return (this.#node?.getMultiaddrs() ?? []).map((address) => {
      const parts = address.getComponents();
      const host = parts[0]?.value ?? '';
      return `${host.includes(':') ? `[${host}]` : host}:${parts.find(({ name }) => name === 'tcp')?.value ?? ''}`;
    });
  }

  async start(handlers: MeshNetworkHandlers): Promise<void> {
    this.#handlers = handlers;
    const { seed, siteSecret, listen, discover } = this.options;
    const denies = (peer: PeerId) => !this.#isMember(keyOf(peer));
    const node = await createLibp2p({
      privateKey: privateKeyFromRaw(new Uint8Array([...seed, ...this.deps.signer.publicKey])),
      addresses: { listen: [addressOf(listen.host, listen.port).toString()] },
      transports: [tcp()],
      streamMuxers: [yamux()],
      connectionEncrypters: [noise()],
      connectionProtector: preSharedKey({ psk: pskOf(siteSecret) }),
      connectionGater: {
        denyDialPeer: denies,
        // Whoever calls may be new, and then shows the roster that says so in its hello: there it is refused or not.
        denyInboundEncryptedConnection: () => false,
        denyOutboundEncryptedConnection: denies,
        // Gateways of a site have private addresses.
        denyDialMultiaddr: () => false,
      },
      connectionMonitor: { enabled: false },
      connectionManager: {
        maxConnections: CONNECTIONS_MAX,
        inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
        maxIncomingPendingConnections: CONNECTIONS_MAX,
        dialTimeout: DIAL_MAX_MS,
        reconnectRetries: 0,
      },
      ...(discover && { peerDiscovery: [mdns()] }),
    });
    this.#node = node;
    node.addEventListener('connection:open', ({ detail }) => this.#onConnection(detail));
    node.addEventListener('connection:close', ({ detail }) => this.#onClosed(detail));
    node.addEventListener('peer:discovery', ({ detail }) => this.#onFound(detail));
    await node.handle(SESSION_PROTOCOL, (stream, connection) => this.#greet(connection, stream));
    await node.handle(RANGE_PROTOCOL, (stream, connection) => this.#serve(connection, stream), {
      maxInboundStreams: SERVED_AT_ONCE_MAX,
    });
    this.membersChanged();
  }

  /** There is a newer roster: whoever is no longer on it is hung up on, whoever is new is called. */
  membersChanged(): void {
    const members = this.deps.members().map(({ key }) => key);
    for (const each of [...this.#sessions.values()]) {
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
    for (const { timer } of this.#sessions.values()) timer?.cancel();
    await this.#node?.stop();
  }

  #isMember(key: string): boolean {
    return this.deps.members().some((member) => member.key === key);
  }

  #onConnection(connection: Connection): void {
    if (connection.direction !== 'outbound') return;
    connection.newStream(SESSION_PROTOCOL).then(
      (stream) => this.#greet(connection, stream),
      (error: unknown) => connection.abort(asError(error)),
    );
  }

  #onClosed(connection: Connection): void {
    const closed = this.#sessions.get(connection.id);
    if (closed !== undefined) this.#end(closed, 'the connection is closed', false);
  }

  #onFound({ id, multiaddrs }: PeerInfo): void {
    const neighbour = keyOf(id);
    // libp2p says so of whoever just connected, too.
    if (!this.#isMember(neighbour) || this.#node?.getConnections(id).length !== 0) return;
    this.#seenAt.set(neighbour, multiaddrs);
    this.#keep({ kind: 'found', neighbour });
  }

  #greet(connection: Connection, stream: Stream): void {
    if (this.#stopped || this.#sessions.has(connection.id)) return stream.abort(new Error('one session a connection'));
    const { clock, random } = this.deps;
    const hello = {
      version: session.SESSION_VERSION,
      site: this.options.siteId,
      nonce: random.bytes(16),
      roster: this.deps.roster(),
    };
    const { state, effects } = session.openSession(hello, clock.monotonicMs());
    const opened: Session = {
      neighbour: keyOf(connection.remotePeer),
      connection,
      stream,
      frames: lpStream(stream, { maxDataLength: FRAME_BYTES_MAX }),
      state,
      timer: undefined,
      unsentBytes: 0,
      servedCount: 0,
    };
    this.#sessions.set(connection.id, opened);
    this.#execute(opened, effects);
    this.#arm(opened);
    void this.#read(opened);
  }

  async #read(from: Session): Promise<void> {
    try {
      while (from.state.phase !== 'ended') {
        const frame = Frame.decode((await from.frames.read()).subarray());
        this.#drive(from, { kind: 'frame', frame });
      }
    } catch (error) {
      this.#end(from, asError(error).message, false);
    }
  }

  #drive(on: Session, input: session.SessionInput): void {
    const { clock } = this.deps;
    const { state, effects } = session.step(on.state, clock.monotonicMs(), input, on.neighbour, this.deps);
    on.state = state;
    this.#execute(on, effects);
    this.#arm(on);
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
    on.frames.write(bytes).then(
      () => (on.unsentBytes -= bytes.length),
      (error: unknown) => this.#end(on, asError(error).message, false),
    );
  }

  /** One session a neighbour. After a power cut the other end knows nothing of the old one, which then is dead. */
  #admit(on: Session): void {
    const { neighbour } = on;
    const before = this.#open.get(neighbour);
    if (before !== undefined) {
      const isStale = on.state.startedAtMs - before.state.startedAtMs > STALE_AFTER_MS;
      const loser = isStale || this.#isCalledByLower(on) ? before : on;
      this.#end(loser, 'another session with it goes on', false);
      if (loser === on) return;
    }
    this.#open.set(neighbour, on);
    this.#keep({ kind: 'connected', neighbour });
    this.deps.onLog({ neighbour }, 'a neighbour is here');
    this.#handlers?.onConnected(neighbour);
  }

  /** Both called at once: the call of the lower key counts, at both ends. */
  #isCalledByLower({ neighbour, connection }: Session): boolean {
    return this.#keeper.self < neighbour === (connection.direction === 'outbound');
  }

  #end(ended: Session, why: string, refused: boolean): void {
    const { neighbour, connection } = ended;
    if (!this.#sessions.delete(connection.id)) return;
    ended.state = { ...ended.state, phase: 'ended' };
    ended.timer?.cancel();
    connection.abort(new Error(why));
    if (this.#stopped) return;
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
    const pieces = lpStream(stream, { maxDataLength: FRAME_BYTES_MAX });
    try {
      const request = (await pieces.read()).subarray();
      for (const piece of this.#handlers?.serve(to.neighbour, request) ?? []) await pieces.write(piece);
      await stream.close();
    } catch (error) {
      stream.abort(asError(error));
    }
  }

  async *#ask(neighbour: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const connection = this.#open.get(neighbour)?.connection;
    if (connection === undefined) return;
    const stream = await connection.newStream(RANGE_PROTOCOL, { signal });
    const pieces = lpStream(stream, { maxDataLength: FRAME_BYTES_MAX });
    try {
      await pieces.write(request, { signal });
      for (;;) {
        const piece = await nextPiece(pieces, signal);
        if (piece === undefined) break;
        yield piece;
      }
      await stream.close();
    } finally {
      if (stream.status === 'open') stream.abort(new Error('no more is wanted'));
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

  async #call(neighbour: string): Promise<void> {
    const member = this.deps.members().find(({ key }) => key === neighbour);
    const addresses = [
      ...(member?.addresses ?? []).flatMap((text) => parseAddress(text)),
      ...(this.#seenAt.get(neighbour) ?? []),
    ];
    const peer = peerIdFromPublicKey(publicKeyFromRaw(fromHex(neighbour)));
    try {
      const withPeer = addresses.map((address) =>
        address.getComponents().some(({ name }) => name === 'p2p')
          ? address
          : address.encapsulate(`/p2p/${peer.toString()}`),
      );
      // Although a connection may still be there that has lost its other end.
      if (withPeer.length > 0) {
        await this.#node?.dial(withPeer, { force: true, signal: AbortSignal.timeout(DIAL_MAX_MS) });
      }
    } catch {
      // Whoever is not there is called again.
    } finally {
      this.#keep({ kind: 'called', neighbour });
    }
  }
}

async function nextPiece(pieces: LengthPrefixedStream<Stream>, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return (await pieces.read({ signal })).subarray();
  } catch (error) {
    if (asError(error).name === 'UnexpectedEOFError') return undefined;
    throw error;
  }
}

const keyOf = (peer: PeerId): string => (peer.publicKey === undefined ? '' : toHex(peer.publicKey.raw));

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const addressOf = (host: string, port: number): Multiaddr =>
  multiaddr(`/${host.includes(':') ? 'ip6' : /^[\d.]+$/.test(host) ? 'ip4' : 'dns'}/${host}/tcp/${port}`);

/** `host:port`, with an IPv6 address in brackets. */
function parseAddress(text: string): Multiaddr[] {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text);
  return match?.[1] === undefined ? [] : [addressOf(match[1], Number(match[2]))];
}

/** As libp2p's pnet wants it (go-libp2p swarm key, version 1). */
const pskOf = (secret: Uint8Array): Uint8Array =>
  new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${toHex(secret)}`);
