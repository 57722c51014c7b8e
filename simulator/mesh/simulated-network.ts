import type {
  MeshNetwork,
  MeshNetworkHandlers,
  MeshReply,
  NeighbourTime,
  Timer,
  WallTime,
} from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';
import type { Path } from './path.js';
import { SessionEnd } from './session-end.js';
import type { SimulatedMesh } from './simulated-mesh.js';

/** Lost neighbours are called, and silent ones given up, at this pace. */
const TICK_MIN_MS = 900;
const TICK_MAX_MS = 1_100;
const CALL_MAX_MS = 5_000;
const SILENCE_MAX_MS = 4_000;
const REFUSED_FOR_MS = 30_000;
/** What a neighbour has not taken yet. */
const UNSENT_BYTES_MAX = 4_194_304;
/** A greeting with a roster. */
const HELLO_BYTES = 2_000;

interface Call {
  readonly end: SessionEnd;
  readonly givenUpAtMs: number;
}

/**
 * The mesh as the program on one simulated machine has it. A lost neighbour is called every second by whoever has the
 * lower key; one that was silent for four seconds is lost; one that calls anew takes the place of its old session.
 */
export class SimulatedNetwork implements MeshNetwork {
  /** What neighbours are told of the own clock; undefined: nothing. */
  time: () => WallTime | undefined = () => undefined;
  readonly #random: SeededRandom;
  #handlers: MeshNetworkHandlers | undefined;
  /** By neighbour. */
  readonly #open = new Map<string, SessionEnd>();
  /** By machine. */
  readonly #calls = new Map<string, Call>();
  readonly #refusedUntilMs = new Map<string, number>();
  #timer: Timer | undefined;
  #diedAtMs = Infinity;

  /** Made by `SimulatedMesh.join`. */
  constructor(
    readonly mesh: SimulatedMesh,
    readonly machine: string,
    readonly key: string,
  ) {
    this.#random = mesh.random.fork(`${machine} at ${mesh.clock.monotonicMs()}`);
  }

  /** Keys of the neighbours that are here. */
  get neighbours(): readonly string[] {
    return [...this.#open.keys()];
  }

  async start(handlers: MeshNetworkHandlers): Promise<void> {
    this.#handlers = handlers;
    this.#tick();
  }

  send(neighbour: string, message: Uint8Array): void {
    const end = this.#open.get(neighbour);
    if (end === undefined) return;
    const { carried } = this.mesh;
    carried.messages += 1;
    carried.messageBytes += message.length;
    const { lostMessagesRate } = this.mesh.path(this.machine, end.other.owner.machine).condition;
    if (lostMessagesRate > 0 && this.#random.chance(lostMessagesRate)) {
      carried.lostMessages += 1;
      return;
    }
    end.pipe.send(message.length, () => end.other.owner.#hear(end.other, message));
    if (end.pipe.unsentBytes > UNSENT_BYTES_MAX) this.#end(end, 'it takes nothing');
  }

  request(neighbour: string, request: Uint8Array): MeshReply {
    const end = this.#open.get(neighbour);
    this.mesh.carried.requests += 1;
    let cancel = (): void => undefined;
    const cancelled = new Promise<undefined>((resolve) => (cancel = () => resolve(undefined)));
    return {
      cancel,
      async *[Symbol.asyncIterator]() {
        let pieces: Iterator<Uint8Array> | undefined;
        const serveNext = (server: SessionEnd): Uint8Array | undefined => {
          pieces ??= server.owner.#serve(server.neighbour, request);
          const next = pieces.next();
          return next.done === true ? undefined : next.value;
        };
        try {
          while (end?.phase === 'open') {
            const piece = await Promise.race([cancelled, end.ask(serveNext)]);
            if (piece === undefined) return;
            end.owner.mesh.carried.pieceBytes += piece.length;
            yield piece;
          }
        } finally {
          pieces?.return?.();
        }
      },
    };
  }

  /**
   * What the neighbours that are here say of the time, as if each had answered just now. Whoever cannot be asked, or does not
   * get through with its answer, is left out.
   */
  times(uptimeMs: number): NeighbourTime[] {
    return [...this.#open.values()].flatMap((end) => {
      const { neighbour, other } = end;
      const told = other.owner.#handlers === undefined ? undefined : other.owner.time();
      const [there, back] = [
        this.mesh.path(this.machine, other.owner.machine),
        this.mesh.path(other.owner.machine, this.machine),
      ];
      if (told === undefined || there.isCut || back.isCut) return [];
      const [thereMs, backMs] = [this.#latencyMs(there), this.#latencyMs(back)];
      const halfMs = (thereMs + backMs) / 2;
      const { unixMs, quality, errorMs = 0 } = told;
      // It was read when the answer set out, and is taken for read in the middle of the round trip.
      const offsetMs = unixMs - backMs + halfMs - uptimeMs;
      return [{ neighbour, offsetMs, quality, errorMs: errorMs + halfMs }];
    });
  }

  refuse(neighbour: string, why: string): void {
    this.#refusedUntilMs.set(neighbour, this.mesh.clock.monotonicMs() + REFUSED_FOR_MS);
    this.mesh.carried.refusals += 1;
    const end = this.#open.get(neighbour);
    if (end !== undefined) this.#end(end, why);
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    for (const end of [...this.#open.values()]) this.#end(end, 'it stops');
    this.die();
  }

  /** Its machine loses its power: no handler runs again, and nobody is told. */
  die(): void {
    this.#handlers = undefined;
    this.#diedAtMs = Math.min(this.#diedAtMs, this.mesh.clock.monotonicMs());
    this.#timer?.cancel();
    for (const end of this.#open.values()) end.die();
    for (const { end } of this.#calls.values()) end.die();
    this.#open.clear();
  }

  /** Its session with another machine ends, if there is one. */
  lose(machine: string, why: string): void {
    for (const end of [...this.#open.values()]) if (end.other.owner.machine === machine) this.#end(end, why);
  }

  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.mesh.clock.monotonicMs();
    for (const end of [...this.#open.values()]) if (this.#isLost(end, nowMs)) this.#end(end, 'it is silent');
    for (const other of this.mesh.programs()) {
      if (this.key < other.key && !this.#open.has(other.key) && this.mesh.isWired(this.machine, other.machine))
        this.#call(other, nowMs);
    }
    if (!this.#isSettled()) this.wake();
  }

  /** Something about the mesh changed: within a second it looks whom to call, and who is lost. */
  wake(): void {
    if (this.#handlers === undefined || this.#timer !== undefined) return;
    this.#timer = this.mesh.clock.setTimer(this.#random.between(TICK_MIN_MS, TICK_MAX_MS), () => this.#tick());
  }

  /** Whoever there is to call is here, and nothing is between: until something changes there is nothing to look for. */
  #isSettled(): boolean {
    const { mesh, machine, key } = this;
    const isWhole = ({ other: { owner } }: SessionEnd) =>
      mesh.programOn(owner.machine) === owner &&
      !mesh.path(machine, owner.machine).isCut &&
      !mesh.path(owner.machine, machine).isCut;
    const isMissing = (other: SimulatedNetwork) =>
      key < other.key && !this.#open.has(other.key) && mesh.isWired(machine, other.machine);
    return [...this.#open.values()].every(isWhole) && !mesh.programs().some(isMissing);
  }

  /** Nothing came for too long; or its machine runs again, with a program that knows nothing of the session. */
  #isLost({ other }: SessionEnd, nowMs: number): boolean {
    const { machine } = other.owner;
    const { cutAtMs } = this.mesh.path(machine, this.machine);
    if (nowMs >= Math.min(cutAtMs, other.owner.#diedAtMs) + SILENCE_MAX_MS) return true;
    const now = this.mesh.programOn(machine);
    const isReachable = cutAtMs === Infinity && this.mesh.path(this.machine, machine).cutAtMs === Infinity;
    return now !== undefined && now !== other.owner && isReachable;
  }

  #call(called: SimulatedNetwork, nowMs: number): void {
    const before = this.#calls.get(called.machine);
    if ((before !== undefined && nowMs < before.givenUpAtMs) || this.#refuses(called.key)) return;
    before?.end.die();
    const end = SessionEnd.between(this, called);
    this.#calls.set(called.machine, { end, givenUpAtMs: nowMs + CALL_MAX_MS });
    end.pipe.send(HELLO_BYTES, () => called.#answer(end.other));
  }

  #answer(end: SessionEnd): void {
    if (this.#handlers === undefined || this.#refuses(end.neighbour)) return;
    end.pipe.send(HELLO_BYTES, () => {
      const caller = end.other;
      if (caller.phase === 'ended') return;
      // Before anything else that the caller says.
      caller.pipe.send(HELLO_BYTES, () => this.#admit(end));
      caller.owner.#admit(caller);
    });
  }

  #latencyMs({ condition: { latencyMinMs, latencyMaxMs } }: Path): number {
    return this.#random.between(latencyMinMs, latencyMaxMs);
  }

  #refuses(neighbour: string): boolean {
    return this.mesh.clock.monotonicMs() < (this.#refusedUntilMs.get(neighbour) ?? 0);
  }

  #admit(end: SessionEnd): void {
    if (this.#handlers === undefined || end.phase === 'ended') return;
    this.#calls.delete(end.other.owner.machine);
    const before = this.#open.get(end.neighbour);
    if (before !== undefined) this.#end(before, 'another session with it goes on');
    end.phase = 'open';
    this.#open.set(end.neighbour, end);
    this.mesh.carried.sessions += 1;
    this.mesh.changed();
    this.#handlers.onConnected(end.neighbour);
  }

  #hear(end: SessionEnd, message: Uint8Array): void {
    if (end.phase !== 'open') return;
    this.mesh.onMessage(end.other.owner, this, message);
    this.#handlers?.onMessage(end.neighbour, message);
  }

  #serve(neighbour: string, request: Uint8Array): Iterator<Uint8Array> {
    return (this.#handlers?.serve(neighbour, request) ?? [])[Symbol.iterator]();
  }

  #end(end: SessionEnd, why: string): void {
    if (end.phase === 'ended') return;
    const wasOpen = this.#open.get(end.neighbour) === end;
    end.end(why, () => end.other.owner.#end(end.other, 'the other end hung up'));
    if (!wasOpen) return;
    this.#open.delete(end.neighbour);
    this.mesh.changed();
    this.#handlers?.onDisconnected(end.neighbour);
  }
}
