import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOCAL_API_FILE } from '@sparc/edge/commissioning';
import { JOURNAL_FILE, readEntries, type LoggedEntry } from '@sparc/edge/ledger';
import { isKnownRecord, type StoredRecord } from '@sparc/protocol/ledger';
import type { Device, SiteFile } from '@sparc/protocol/policy';
import { FACTORY_MEMORY } from '@sparc/simulator/devices';
import { freePort, type LineKind, LIVE_BAUD_RATE, LiveSite } from '@sparc/simulator/live';
import { eventFaults } from './event-faults.js';
import { eventually, isOverdue, lookPause } from './peers.js';
import { REPOSITORY } from './repository.js';
import { sparc } from './sparc-command.js';
import { WIRE_CODE, WireMonitor } from './wire-monitor.js';

const BIN = join(REPOSITORY, 'edge', 'bin', 'sparc.js');
const ENTRIES_MAX = 100_000;
/** Far over the 5 s that a stop may take. */
const STOP_MAX_MS = 30_000;
/** For a machine that has other things to do as well. */
const ONLINE_MAX_MS = 60_000;
/** A poll and its reply on a slow line. */
const POLL_ANSWERED_MS = 60;

export interface LiveGatewayOptions {
  readonly site: SiteFile;
  /** What hangs on the walls, where it differs from what the site file says. */
  readonly wired?: SiteFile;
  /** Keys that the gateway has, where they differ from those of the devices; hexadecimal by device id. */
  readonly wrongKeys?: Readonly<Record<string, string>>;
  /** Devices that left the factory with this address, at 9600 baud, and that nobody gave a key; by device id. */
  readonly factoryNew?: Readonly<Record<string, number>>;
  /** Who has a say in passages, and the token that it expects. */
  readonly host?: { readonly url: string; readonly token: string };
  readonly kind?: LineKind;
  readonly baudRate?: number;
}

/** An event of the journal with its place in it. */
export type RecordedEvent = StoredRecord & { readonly epoch: number; readonly sequence: number };

interface LogLine {
  readonly msg: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

/** A whole gateway in processes of its own, and the site that it runs: devices in this process, on real lines. */
export class LiveGateway {
  readonly #lines: LogLine[] = [];
  #child: ChildProcess | undefined;
  #rest = '';

  private constructor(
    readonly folder: string,
    readonly site: SiteFile,
    readonly live: LiveSite,
    readonly apiUrl: string,
    readonly wires: ReadonlyMap<string, WireMonitor>,
  ) {}

  /** Lines are open, the policy is applied, nothing runs yet. */
  static async create(options: LiveGatewayOptions): Promise<LiveGateway> {
    const { site, wired = site, factoryNew = {}, kind = 'tcp', baudRate = LIVE_BAUD_RATE } = options;
    const folder = await mkdtemp(join(tmpdir(), 'sparc-live-'));
    const keyed = site.devices.filter(({ id }) => factoryNew[id] === undefined);
    const keys = new Map(keyed.map(({ id }) => [id, testScbk(id)]));
    const live = new LiveSite({
      site: wired,
      keys,
      memories: new Map(Object.entries(factoryNew).map(([id, address]) => [id, { ...FACTORY_MEMORY, address }])),
      folder,
      kind,
      baudRate,
      onLineEnd: (error) => console.error(error),
    });
    const port = await freePort();
    const wires = new Map([...live.lines].map(([id, line]) => [id, new WireMonitor(line, baudRate)]));
    const gateway = new LiveGateway(folder, site, live, `http://127.0.0.1:${port}`, wires);
    try {
      await gateway.#prepare(options, keys);
      return gateway;
    } catch (error) {
      await gateway.remove();
      throw error;
    }
  }

  async #prepare(
    { site, wrongKeys, host, baudRate = LIVE_BAUD_RATE }: LiveGatewayOptions,
    keys: ReadonlyMap<string, Uint8Array>,
  ): Promise<void> {
    await this.live.start();
    const hexKeys = [...keys].map(([id, key]) => [id, Buffer.from(key).toString('hex')]);
    const gatewayKeys = { ...Object.fromEntries(hexKeys), ...wrongKeys } as Record<string, string>;
    await writeFile(join(this.folder, 'keys.json'), JSON.stringify(gatewayKeys), { mode: 0o600 });
    if (host) await writeFile(join(this.folder, 'host-token'), host.token, { mode: 0o600 });
    const buses = [...this.live.addresses].map(([id, address]) =>
      'serial' in address ? { id, serial: { ...address.serial, baudRate } } : { id, tcp: { ...address.tcp, baudRate } },
    );
    await writeFile(
      this.configPath,
      JSON.stringify({
        gateway: { name: 'live' },
        dataDir: './data',
        osdpKeysFile: './keys.json',
        buses,
        api: { host: '127.0.0.1', port: Number(new URL(this.apiUrl).port) },
        ...(host && { host: { url: host.url, tokenFile: './host-token' } }),
      }),
    );
    await this.apply(site);
  }

  get configPath(): string {
    return join(this.folder, 'gateway.json');
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  /** What the gateway logged since the start, of all its runs. */
  get log(): readonly LogLine[] {
    return this.#lines;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the gateway does not run');
    return pid;
  }

  get sitePid(): number | undefined {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  }

  /** `sparc policy apply` of a site file; throws what it said of a refusal. */
  async apply(site: SiteFile): Promise<void> {
    const file = join(this.folder, 'site.json');
    await writeFile(file, JSON.stringify(site));
    const { exitCode, stderr } = await this.sparc('policy', 'apply', file);
    if (exitCode !== 0) throw new Error(stderr);
  }

  /** The command, on this gateway's configuration. */
  sparc(...args: readonly string[]): ReturnType<typeof sparc> {
    return sparc([...args, '--config', this.configPath]);
  }

  start(env: NodeJS.ProcessEnv = {}): void {
    if (this.#child !== undefined) throw new Error('the gateway runs already');
    const { NODE_OPTIONS: _options, ...inherited } = process.env;
    const child = spawn(process.execPath, [BIN, 'gateway', 'run', '--json', '--config', this.configPath], {
      cwd: this.folder,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const out of [child.stdout, child.stderr])
      out.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child = child;
  }

  /** Starts, and waits until these devices (default: all) are online. */
  async startOnline(env: NodeJS.ProcessEnv = {}, deviceIds = [...this.live.devices.keys()]): Promise<void> {
    const before = this.newestEpoch;
    this.start(env);
    await this.online(deviceIds, before + 1);
  }

  /**
   * Resolves when the journal says that the devices came online, in `epoch` or later, and each was polled since: what a
   * reader holds at its first poll may be an old card.
   */
  async online(deviceIds: readonly string[], epoch = this.newestEpoch): Promise<void> {
    await this.#journal(
      `${deviceIds.join(', ')} online`,
      (events) => {
        if (this.#child?.exitCode !== null) throw new Error(`the gateway ended\n${this.logText}`);
        const online = events.filter((event) => event.name === 'reader.online' && event.epoch >= epoch);
        return deviceIds.every((id) => online.some(({ deviceId }) => deviceId === id)) || undefined;
      },
      ONLINE_MAX_MS,
    );
    const sinceMs = performance.now();
    const devices = this.site.devices.filter(({ id }) => deviceIds.includes(id));
    const isPolled = ({ bus, address }: Device) => this.wires.get(bus)?.first(WIRE_CODE.poll, address, sinceMs);
    await eventually('every device is polled', () => devices.every(isPolled));
    await sleep(POLL_ANSWERED_MS);
  }

  get logText(): string {
    return this.#lines.map((line) => JSON.stringify(line)).join('\n');
  }

  get newestEpoch(): number {
    return this.events.at(-1)?.epoch ?? 0;
  }

  /** What is on disk, in order. */
  get events(): readonly RecordedEvent[] {
    const path = join(this.dataDir, JOURNAL_FILE);
    if (!existsSync(path)) return [];
    return readJournal(path, { limit: ENTRIES_MAX }).flatMap(({ id: { epoch, sequence }, record }) =>
      record === undefined ? [] : [{ ...record, epoch, sequence }],
    );
  }

  /** Resolves with the first event of the journal that fits. */
  event(fits: (event: RecordedEvent) => boolean, what: string, timeoutMs = 30_000): Promise<RecordedEvent> {
    return this.#journal(what, (events) => events.find(fits), timeoutMs);
  }

  async #journal<T>(
    what: string,
    look: (events: readonly RecordedEvent[]) => T | undefined,
    timeoutMs: number,
  ): Promise<T> {
    const fromMs = performance.now();
    for (;;) {
      const found = look(this.events);
      if (found !== undefined) return found;
      const waitedMs = performance.now() - fromMs;
      if (isOverdue(waitedMs, timeoutMs)) throw new Error(`not within ${Math.round(waitedMs)} ms: ${what}`);
      await lookPause(waitedMs);
    }
  }

  async api<T>(path: string): Promise<T> {
    const response = await fetch(`${this.apiUrl}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  /** The API answers, and programs on this machine are told where it is. */
  isServing(): Promise<boolean> {
    return this.api('/healthz')
      .then(() => readFileSync(join(this.dataDir, LOCAL_API_FILE), 'utf8').includes(this.apiUrl))
      .catch(() => false);
  }

  present(readerId: string, cardId: string): void {
    const bits = this.live.cardBits(cardId);
    const reader = this.live.readers.get(readerId);
    if (bits === undefined || reader === undefined) throw new RangeError(`no ${cardId} or no ${readerId}`);
    reader.presentCard(bits);
  }

  /**
   * Holds a card there until something has come of it, and again whenever a busy machine took its read too late: such a one
   * is recorded and counts for nothing.
   */
  async presented(readerId: string, cardId: string, what: string, isDone: () => boolean): Promise<void> {
    const lateCount = () => this.events.filter(({ reason }) => reason === 'read_too_old').length;
    for (let isLate = true; isLate;) {
      const knownCount = lateCount();
      this.present(readerId, cardId);
      await eventually(what, () => {
        const hasCome = isDone();
        isLate = !hasCome && lateCount() > knownCount;
        return hasCome || isLate;
      });
    }
  }

  /** Resolves when a card of the site has released a door. */
  released(doorId: string, cardId: string): Promise<void> {
    return this.presented(`${doorId}-reader`, cardId, `${cardId} releases ${doorId}`, () => this.lock(doorId).released);
  }

  lock(doorId: string) {
    const door = this.live.doors.get(doorId);
    if (door === undefined) throw new RangeError(`no door ${doorId}`);
    return door.lock;
  }

  /** Resolves when the process is gone. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const closed = child.exitCode === null && child.signalCode === null ? once(child, 'close') : undefined;
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
    await closed;
    clearTimeout(killer);
    this.#child = undefined;
  }

  /** It ended by itself, or was killed from within. */
  get hasEnded(): boolean {
    const child = this.#child;
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
  }

  /** Waits for a gateway that ends by itself, or that is killed from within. */
  async ended(): Promise<NodeJS.Signals | number | null> {
    const child = this.#child;
    if (child === undefined) throw new Error('the gateway does not run');
    if (child.exitCode === null && child.signalCode === null) {
      await once(child, 'close', { signal: AbortSignal.timeout(STOP_MAX_MS) });
    }
    this.#child = undefined;
    return child.signalCode ?? child.exitCode;
  }

  /** Everything, the folder as well. Idempotent. Rejects when something was recorded that the catalogue does not describe. */
  async remove(): Promise<void> {
    await this.end('SIGTERM');
    await this.live.stop();
    const faults = this.events.flatMap((event) => (isKnownRecord(event) ? eventFaults(event) : event.name));
    await rm(this.folder, { recursive: true, force: true });
    if (faults.length > 0) throw new Error(`not as the catalogue has it: ${faults.join('; ')}`);
  }

  #read(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as LogLine);
      else if (line !== '') this.#lines.push({ msg: line });
    }
  }
}

/** A key of its own for each device, the same in every run. */
export const testScbk = (deviceId: string): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(deviceId).digest().subarray(0, 16));

/** Nothing for a journal that has no tables yet, or that no writer recovered since a power cut. */
function readJournal(...range: Parameters<typeof readEntries>): readonly LoggedEntry[] {
  try {
    return readEntries(...range);
  } catch (error) {
    if (/no such table|readonly database/.test(String(error))) return [];
    throw error;
  }
}
