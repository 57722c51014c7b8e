import { openEntry, SEALED_ENTRY, Seals, type OpenEntry, type SealedEntry } from '@sparc/cloud-sync/db';
import { openAcknowledgement } from '@sparc/protocol/cloud-link';
import { isSparcError } from '@sparc/protocol/errors';
import { decodeBatch, EntryContent, EpochBody, NO_HASH, SignedHead } from '@sparc/protocol/ledger';
import type { CloudLink, Signer } from '@sparc/protocol/ports';
import type { Fork } from '@sparc/protocol/replication';
import { SimulatedBroker, type BrokerClient } from '../mesh/index.js';
import { epochName, type CloudHistory, type Platter, type WrittenEpoch } from '../scenarios/index.js';
import { seededSigner, type CloudSite, type MachineName, type MeshCloud } from '../site/index.js';
import { defectiveClient, defectiveTables, type CloudDefect } from './cloud-defects.js';
import { CloudDisk, newTenant, SECRET } from './cloud-disk.js';
import { CloudFaults } from './cloud-faults.js';
import { CloudProcess } from './cloud-process.js';

export interface SimulatedCloudOptions {
  /** Of its database; empty, or with one. */
  readonly folder: string;
  readonly defect?: CloudDefect;
}

interface ForkRow {
  readonly kind: Fork['kind'];
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** In place of what was altered and does not open: what no author commits. */
const BROKEN: OpenEntry = {
  hash: NO_HASH,
  content: EntryContent.encode({
    kind: 'broken',
    hlc: { unixMs: 0, counter: 0 },
    wallUnixMs: 0,
    timeQuality: 'unsynced',
    body: EpochBody.encode({ predecessorLost: true }),
  }),
};
const ENTRIES = `select ${SEALED_ENTRY.join(', ')} from sparc.events`;
const PROCESSES_COUNT = 2;
const LIE_RATE = 0.2;

/** The real ingest in two processes on a real database, behind a broker, and everything between and below them failing. */
export class SimulatedCloud implements MeshCloud {
  readonly history: CloudHistory = { said: [], known: [] };
  readonly #broker: SimulatedBroker;
  readonly #faults: CloudFaults;
  readonly #processes: readonly CloudProcess[];
  /** Of logs of others than the gateway that brought them. */
  #carriedCount = 0;
  #failedCount = 0;
  /** Logs of which it had lost what gateways have emptied. */
  #emptiedCount = 0;
  readonly #seals: Seals;
  readonly #refused = new Map<string, number>();

  private constructor(
    private readonly site: CloudSite,
    private readonly disk: CloudDisk,
    private readonly tenant: string,
    private readonly signer: Signer,
    defect: CloudDefect | undefined,
  ) {
    this.#seals = new Seals(SECRET, tenant);
    const { clock, random, machines } = site;
    this.#broker = new SimulatedBroker(clock, random.fork('broker'));
    const neglected = machines[1]?.key ?? '';
    const lies = random.fork('lies');
    this.#processes = Array.from({ length: PROCESSES_COUNT }, (_, index) => {
      const name = `cloud-${index + 1}`;
      return new CloudProcess(name, {
        ...site,
        random: random.fork(name),
        disk,
        signer,
        join: () => this.#witnessed(name, defectiveClient(defect, neglected, this.#broker.join(name))),
        leave: () => this.#broker.leave(name),
        isDatabaseAway: () => this.#faults.isDatabaseAway,
        isLie: () => defect === 'lyingDatabase' && lies.chance(LIE_RATE),
        onRefused: (why) => void this.#refused.set(why, (this.#refused.get(why) ?? 0) + 1),
        onFork: () => site.trace('the cloud sees a fork'),
        onEmptied: () => (this.#emptiedCount += 1),
        onFailure: () => (this.#failedCount += 1),
      });
    });
    this.#faults = new CloudFaults({
      ...site,
      random: random.fork('faults'),
      broker: this.#broker,
      disk,
      processes: this.#processes,
      machines: machines.map(({ name }) => name),
    });
    for (const process of this.#processes) process.start();
  }

  static async start(site: CloudSite, { folder, defect }: SimulatedCloudOptions): Promise<SimulatedCloud> {
    const disk = await CloudDisk.open(folder);
    const keys = site.machines.map(({ key }) => Uint8Array.from(Buffer.from(key, 'hex')));
    const tenant = await disk.work((database) => newTenant(database, site.siteId, keys));
    const tables = defectiveTables(defect);
    if (tables !== undefined) await disk.rows(tables);
    return new SimulatedCloud(site, disk, tenant, seededSigner(site.random.fork('key')), defect);
  }

  get key(): Uint8Array {
    return this.signer.publicKey;
  }

  get fired(): ReadonlyMap<string, number> {
    return this.#faults.fired;
  }

  get counts(): Readonly<Record<string, number>> {
    const { links, up, down } = this.#broker.carried;
    return {
      cloudLinks: links,
      cloudUp: up,
      cloudDown: down,
      cloudCarried: this.#carriedCount,
      cloudFailed: this.#failedCount,
      cloudEmptied: this.#emptiedCount,
      cloudAcknowledged: this.history.said.length,
      ...Object.fromEntries([...this.#refused].map(([why, count]) => [`cloudRefused.${why}`, count])),
    };
  }

  link({ name, key }: MachineName): CloudLink {
    return this.#broker.link(name, { tenant: this.tenant, site: this.site.siteId, gateway: key });
  }

  powerOff(machine: string): void {
    this.#broker.powerOff(machine);
  }

  startFaults(durationMs: number): void {
    this.#faults.start(durationMs);
  }

  heal(): Promise<void> {
    return this.#faults.heal();
  }

  run(untilMs: number): Promise<void> {
    return this.disk.run(this.site.clock, untilMs);
  }

  async expel({ key }: MachineName): Promise<ReadonlyMap<string, number>> {
    await this.disk.rows(`update sparc.gateways set state = 'expelled' where id = $1`, [Buffer.from(key, 'hex')]);
    const { replicas } = await this.platter();
    const of = [...replicas].filter(([, { author }]) => author === key);
    return new Map(of.map(([name, { entries }]) => [name, entries.length]));
  }

  async platter(): Promise<Platter> {
    const rows = await this.disk.rows<SealedEntry>(`${ENTRIES} order by received_at, sequence`);
    const forks = await this.disk.rows<ForkRow>('select kind, first, second from sparc.forks');
    return {
      machine: 'the cloud',
      author: undefined,
      hasTwoPasts: false,
      own: new Map(),
      replicas: this.#epochsOf(rows),
      forks: forks.map(({ kind, first, second }) => ({
        kind,
        first: SignedHead.decode(first),
        second: SignedHead.decode(second),
      })),
    };
  }

  close(): Promise<void> {
    return this.disk.close();
  }

  /** What a process hears, and what it says: of each acknowledgement it is looked up what there is at that moment. */
  #witnessed(process: string, client: BrokerClient): BrokerClient {
    return {
      hear: (what, onSaid, sharing) =>
        client.hear(
          what,
          (carrier, body) => {
            this.site.trace(`${process} hears ${what} of ${carrier.gateway.slice(0, 8)}: ${body.length}`);
            if (what === 'batch' && toHex(decodeBatch(body).author) !== carrier.gateway) this.#carriedCount += 1;
            onSaid(carrier, body);
          },
          sharing,
        ),
      say: async (carrier, what, body) => {
        this.site.trace(`${process} says ${what} to ${carrier.gateway.slice(0, 8)}: ${body.length}`);
        if (what === 'ack') await this.#lookUp(body);
        await client.say(carrier, what, body);
      },
    };
  }

  async #lookUp(body: Uint8Array): Promise<void> {
    const { crypto, siteId } = this.site;
    const { heads } = openAcknowledgement(crypto.verify, this.key, siteId, body);
    for (const head of heads) {
      const { author, epoch, sequence } = head;
      const at = [author, epoch.counter, epoch.random, sequence].map((each) =>
        each instanceof Uint8Array ? Buffer.from(each) : each,
      );
      const where = 'author = $1 and epoch = $2 and epoch_random = $3 and sequence = $4';
      const [row] = await this.disk.rows<SealedEntry>(`${ENTRIES} where ${where}`, at);
      this.history.said.push({ head, storedHash: row && this.#open(row).hash });
    }
  }

  /** As they were written. */
  #epochsOf(rows: readonly SealedEntry[]): ReadonlyMap<string, WrittenEpoch> {
    const epochs = new Map<string, WrittenEpoch>();
    for (const row of rows) {
      const author = Uint8Array.from(row.author);
      const epoch = { counter: row.epoch, random: Uint8Array.from(row.epoch_random) };
      const { hash, content } = this.#open(row);
      const name = epochName({ author, epoch });
      const previous = row.sequence === 1 ? EpochBody.decode(EntryContent.decode(content).body).previous : undefined;
      const known = epochs.get(name) ?? { author: toHex(author), epoch, previous, entries: [] };
      epochs.set(name, known);
      known.entries.push({ epoch, sequence: row.sequence, hash, content });
    }
    return epochs;
  }

  #open(row: SealedEntry): OpenEntry {
    try {
      return openEntry(this.#seals, row);
    } catch (error) {
      if (isSparcError(error, 'ERR_DATABASE_SEAL_BROKEN')) return BROKEN;
      throw error;
    }
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
