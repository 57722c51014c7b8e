import type { Connection } from '@libp2p/interface';
import { sameBytes } from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, MeshNetworkHandlers, MeshReply, NeighbourTime, Random } from '@sparc/protocol/ports';
import { ADDRESSES_MAX, type SignedRoster, type SiteSecrets } from '@sparc/protocol/roster';
import { AddressBook, type MemberPlace } from './address-book.js';
import { formatAddress, reachable } from './addresses.js';
import { Callers } from './callers.js';
import { Dialler } from './dialler.js';
import { toHex } from '../platform/index.js';
import { createNode, keyOf, type Node, type NodeOptions } from './libp2p-node.js';
import { LinksTold, type HeardLink, type Links } from './links.js';
import { NeighbourTimes } from './neighbour-times.js';
import { Credits, SAID_PACE, SERVED_PACE } from './pace.js';
import { askRange, RANGE_PROTOCOL, SERVED_AT_ONCE_MAX, serveRange } from './ranges.js';
import { SessionLink, type LinkOwner } from './session-link.js';
import { SESSION_VERSION, type SessionSite } from './session.js';
import { secretIdOf } from './site-secret.js';
import { Teller } from './teller.js';

const SESSION_PROTOCOL = '/sparc/session/1';
/** A session that was open for so long when its neighbour called anew has lost its other end without a word. */
const STALE_AFTER_MS = 5_000;

export interface Libp2pNetworkOptions extends Omit<NodeOptions, 'publicKey'> {
  readonly siteId: string;
}

export interface Libp2pNetworkDeps extends Omit<SessionSite, 'siteId' | 'isWanted'> {
  readonly clock: Clock;
  readonly random: Random;
  /** The newest roster: who may connect, and where they are. */
  members(): readonly MemberPlace[];
  roster(): SignedRoster;
  siteSecrets(): SiteSecrets;
  /** All members have said that they call with the present secret, so that the previous one can go. */
  onSecretShared(): void;
  /** Of the machine (`TimeEvidence.uptimeMs`): what neighbours say of the time is told against it. */
  uptimeMs(): number;
  onLog(fields: object, message: string): void;
}

/**
 * The mesh over libp2p. Who is spoken to, when a link is dead and when it is tried again is decided here, by `session` and
 * `keeper`; a neighbour is slowed down rather than cut off, so that no score and no burst can take a mesh apart.
 */
export class Libp2pNetwork implements MeshNetwork {
  readonly #self: string;
  #node: Node | undefined;
  #handlers: MeshNetworkHandlers | undefined;
  /** By connection. */
  readonly #sessions = new Map<string, SessionLink>();
  /** Those that are admitted, by neighbour. */
  readonly #open = new Map<string, { readonly link: SessionLink; readonly openedAtMs: number }>();
  /** Neighbours whose fields do not answer them. */
  readonly #silent = new Set<string>();
  readonly #callers: Callers;
  readonly #told: LinksTold;
  readonly #times: NeighbourTimes;
  readonly #addresses: AddressBook;
  readonly #owner: LinkOwner;
  readonly #dialler: Dialler;
  readonly #teller: Teller;
  #stopped = false;

  constructor(
    private readonly deps: Libp2pNetworkDeps,
    private readonly options: Libp2pNetworkOptions,
  ) {
    const { clock, signer, verify } = deps;
    this.#self = toHex(signer.publicKey);
    this.#callers = new Callers(clock, (key) => this.#isMember(key));
    this.#told = new LinksTold((key) => this.#isMember(key));
    this.#times = new NeighbourTimes(() => deps.uptimeMs());
    this.#addresses = new AddressBook(() => deps.members(), this.#told);
    this.#dialler = new Dialler(this.#self, {
      clock,
      addressesOf: (neighbour) => this.#addresses.addressesOf(neighbour),
      isHere: (neighbour) => this.#open.has(neighbour),
      // Although a connection may still be there that has lost its other end.
      dial: async (address, signal) => this.#node?.dial(address, { force: true, signal }),
    });
    this.#teller = new Teller(clock, () => this.#tell());
    this.#owner = {
      clock,
      credits: { said: new Credits(clock, SAID_PACE), served: new Credits(clock, SERVED_PACE) },
      siteId: options.siteId,
      signer,
      verify,
      admits: (neighbour, roster) => deps.admits(neighbour, roster),
      isWanted: (link) => this.#isWanted(link),
      time: () => deps.time(),
      onOpen: (link) => this.#onOpen(link),
      onMessage: (link, message) => {
        if (this.#isOpen(link)) this.#handlers?.onMessage(link.neighbour, message);
      },
      onLinks: (link, links) => {
        if (this.#isOpen(link)) this.#onLinks(link.neighbour, links);
      },
      onTime: (link, time, roundTripMs) => {
        if (this.#isOpen(link)) this.#times.take(link.neighbour, time, roundTripMs);
      },
      isFieldSilent: () => deps.isFieldSilent(),
      onField: (link, isSilent) => {
        if (this.#isOpen(link)) this.#onField(link.neighbour, isSilent);
      },
      onEnd: (link, why, refused) => this.#onEnd(link, why, refused),
    };
  }

  /** Where it listens, as `host:port`; empty before it does. */
  get addresses(): readonly string[] {
    return (this.#node?.getMultiaddrs() ?? []).map(formatAddress);
  }

  /** Of the last ping that a neighbour answered; undefined before, and for whoever is not here. */
  roundTripMs(neighbour: string): number | undefined {
    return this.#open.get(neighbour)?.link.roundTripMs;
  }

  /** What the neighbours that are here say of the time. */
  times(): readonly NeighbourTime[] {
    return this.#times.all();
  }

  /** Neighbours that are here and say that their fields do not answer them. */
  get silent(): ReadonlySet<string> {
    return this.#silent;
  }

  /** By neighbour that is here and has said so: the members that it hears, and where those are to be found. */
  links(): ReadonlyMap<string, readonly HeardLink[]> {
    return this.#told.heard();
  }

  async start(handlers: MeshNetworkHandlers): Promise<void> {
    this.#handlers = handlers;
    const { clock, random, signer } = this.deps;
    const node = await createNode(
      { ...this.options, publicKey: signer.publicKey },
      {
        siteSecrets: () => this.deps.siteSecrets(),
        mayCall: (key) => this.#isMember(key),
        mayBeCalledBy: (key) =>
          this.#callers.mayCall(
            key,
            [...this.#sessions.values()].map(({ neighbour }) => neighbour),
          ),
      },
      random,
    );
    this.#node = node;
    node.addEventListener('connection:open', ({ detail }) => this.#onConnection(detail));
    node.addEventListener('connection:close', ({ detail }) =>
      this.#sessions.get(detail.id)?.end('the connection is closed', false),
    );
    node.services.discovery?.addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
      if (this.#isMember(keyOf(id))) this.#addresses.found(keyOf(id), multiaddrs.map(formatAddress));
    });
    await node.handle(SESSION_PROTOCOL, (stream, { id }) => this.#sessions.get(id)?.greet(stream));
    await node.handle(
      RANGE_PROTOCOL,
      async (stream, { id }) => {
        const to = this.#sessions.get(id);
        if (to === undefined || !this.#isOpen(to)) return stream.abort(new Error('not admitted'));
        await serveRange(stream, clock, to.served, (request) => handlers.serve(to.neighbour, request));
      },
      { maxInboundStreams: SERVED_AT_ONCE_MAX },
    );
    this.membersChanged();
  }

  /** There is a newer roster: whoever is no longer on it is hung up on, whoever is new is called. */
  membersChanged(): void {
    const members = this.deps.members().map(({ key }) => key);
    this.#callers.rosterChanged();
    this.#told.membersChanged();
    this.#addresses.membersChanged();
    for (const { link } of this.#open.values()) {
      if (!members.includes(link.neighbour)) link.end('it is no longer on the roster', true);
    }
    this.#dialler.take({ kind: 'members', members });
    this.#noteShared();
  }

  /** There is a newer site secret: calls show it from now on. Links that are up stay. */
  secretsChanged(): void {
    this.#teller.hurry();
    this.#noteShared();
  }

  send(neighbour: string, message: Uint8Array): void {
    this.#open.get(neighbour)?.link.say({ message });
  }

  request(neighbour: string, request: Uint8Array): MeshReply {
    return askRange(() => this.#open.get(neighbour)?.link, request);
  }

  refuse(neighbour: string, why: string): void {
    this.#open.get(neighbour)?.link.end(why, true);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#dialler.stop();
    this.#teller.stop();
    for (const link of [...this.#sessions.values()]) link.end('it stops', false);
    await this.#node?.stop();
  }

  #isMember(key: string): boolean {
    return this.deps.members().some((member) => member.key === key);
  }

  #isOpen(link: SessionLink): boolean {
    return this.#open.get(link.neighbour)?.link === link;
  }

  #onConnection(connection: Connection): void {
    if (this.#stopped) return connection.abort(new Error('it stops'));
    const { random } = this.deps;
    const hello = {
      version: SESSION_VERSION,
      site: this.options.siteId,
      nonce: random.bytes(16),
      roster: this.deps.roster(),
    };
    const link = new SessionLink(connection, hello, this.#owner);
    this.#sessions.set(connection.id, link);
    this.#dialler.take({ kind: 'greeting', neighbour: link.neighbour });
    if (connection.direction !== 'outbound') return;
    this.#addresses.reached(link.neighbour, formatAddress(connection.remoteAddr));
    connection.newStream(SESSION_PROTOCOL).then(
      (stream) => link.greet(stream),
      (error: unknown) => link.end(error instanceof Error ? error.message : String(error), false),
    );
  }

  /** After a power cut the other end knows nothing of an older session, which then is dead. */
  #isWanted({ neighbour, startedAtMs }: SessionLink): boolean {
    const before = this.#open.get(neighbour);
    return before === undefined || startedAtMs - before.openedAtMs > STALE_AFTER_MS;
  }

  #onOpen(link: SessionLink): void {
    const { neighbour } = link;
    this.#open.get(neighbour)?.link.end('another session with it takes its place', false);
    this.#open.set(neighbour, { link, openedAtMs: this.deps.clock.monotonicMs() });
    this.#dialler.take({ kind: 'connected', neighbour });
    this.deps.onLog({ neighbour }, 'a neighbour is here');
    this.#handlers?.onConnected(neighbour);
    this.#teller.hurry();
  }

  #onEnd(link: SessionLink, why: string, refused: boolean): void {
    const { neighbour, connection } = link;
    this.#sessions.delete(connection.id);
    if (this.#stopped) return;
    if (refused) this.#callers.refuse(neighbour);
    const wasOpen = this.#isOpen(link);
    if (wasOpen || refused) {
      this.deps.onLog({ neighbour, why }, refused ? 'a neighbour is refused' : 'a neighbour is lost');
    }
    if (wasOpen) {
      this.#open.delete(neighbour);
      this.#told.forget(neighbour);
      this.#times.forget(neighbour);
      this.#silent.delete(neighbour);
      this.#handlers?.onDisconnected(neighbour);
      this.#teller.hurry();
    }
    if (!this.#open.has(neighbour)) this.#dialler.take({ kind: 'disconnected', neighbour, refused });
  }

  #onLinks(neighbour: string, links: Links): void {
    const before = this.#told.listensAt(neighbour).join();
    this.#told.take(neighbour, links);
    if (this.#told.listensAt(neighbour).join() !== before) this.#teller.hurry();
    this.#noteShared();
  }

  #onField(neighbour: string, isSilent: boolean): void {
    if (this.#silent.has(neighbour) === isSilent) return;
    if (isSilent) this.#silent.add(neighbour);
    else this.#silent.delete(neighbour);
    this.deps.onLog(
      { neighbour },
      isSilent ? 'the field of a neighbour is silent' : 'the field of a neighbour answers',
    );
    this.#teller.hurry();
  }

  #noteShared(): void {
    const { present, previous } = this.deps.siteSecrets();
    if (previous.length === 0 || this.#stopped) return;
    const id = secretIdOf(present);
    const others = this.deps.members().filter(({ key }) => key !== this.#self);
    const isShared = others.every(({ key }) => {
      const theirs = this.#told.secretIdOf(key);
      return theirs !== undefined && sameBytes(theirs, id);
    });
    if (isShared) this.deps.onSecretShared();
  }

  #tell(): void {
    const links = this.#ownLinks();
    for (const { link } of this.#open.values()) link.say({ links });
  }

  #ownLinks(): Links {
    const heard = [...this.#open.keys()].map((key) => ({
      key,
      addresses: [...this.#addresses.addressesToTell(key)],
      ...(this.#silent.has(key) && { field: 'silent' as const }),
    }));
    const listensAt = reachable(this.addresses).slice(0, ADDRESSES_MAX);
    return { secretId: secretIdOf(this.deps.siteSecrets().present), listensAt, heard };
  }
}
