import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { SitePlan } from '@sparc/protocol/policy';
import {
  BusSpeeds,
  Commissioning,
  DeviceKeys,
  Escrow,
  heldKeysToJson,
  transferWork,
  type BusesView,
  type CommissioningAnswer,
  type CommissioningView,
  type KeyStore,
  type Operation,
  type OperationPlan,
} from '../commissioning/index.js';
import type { BusConfig, GatewayConfig } from '../config/index.js';
import type { FieldLog } from '../field/index.js';
import { BundleShelf, ResumePoints, type Bundle } from '../reader-bundles/index.js';
import { busesView } from './bus-views.js';
import { FieldBuses } from './field-buses.js';
import { finishSpeedChange } from './interrupted-speed.js';
import { planOperation } from './operation-plans.js';
import { ReaderTransfers } from './reader-transfers.js';

export interface GatewayCommissioningDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FieldLog;
  readonly osdpKeys: ReadonlyMap<string, Uint8Array>;
  readonly keyStore: KeyStore;
  readonly record: (event: EventDraft) => void;
  /** The view changed. */
  readonly onChange: () => void;
}

/** The buses of a gateway with all that people do to them while it runs: keys, speeds, escrow, bundles, operations. */
export class GatewayCommissioning {
  readonly buses: FieldBuses;
  readonly #keys: DeviceKeys;
  readonly #escrow: Escrow | undefined;
  readonly #speeds: BusSpeeds;
  readonly #bundles: BundleShelf;
  readonly #resumePoints: ResumePoints;
  readonly #commissioning: Commissioning;
  #plan: SitePlan | undefined;
  #started = false;

  constructor(
    private readonly config: GatewayConfig,
    private readonly deps: GatewayCommissioningDeps,
  ) {
    const { clock, random, log, record, onChange } = deps;
    const { dataDir, buses: configs, escrow } = config;
    this.#escrow = escrow === undefined ? undefined : new Escrow({ clock, random, dataDir, record }, escrow);
    this.#speeds = new BusSpeeds(dataDir);
    this.buses = new FieldBuses(
      {
        clock,
        random,
        log,
        keysInUse: (deviceId) => this.#keys.keysInUse(deviceId),
        speedOf: (bus) => this.#speeds.speedOf(bus),
        onKeyProven: (deviceId, scbk) => this.#keys.proven(deviceId, scbk),
        onKeyRefused: (deviceId) => this.#keys.refused(deviceId),
      },
      configs,
    );
    this.#keys = new DeviceKeys(
      {
        random,
        store: deps.keyStore,
        line: this.buses,
        escrow: () => this.#writeEscrow(),
        record,
        onStoreFailure: (error) => log.error({ error }, 'a proven key could not be stored; both are held still'),
        onChange,
      },
      deps.osdpKeys,
    );
    this.#bundles = new BundleShelf(clock, { dataDir, signers: config.bundleSigners }, onChange);
    this.#resumePoints = new ResumePoints(dataDir);
    const operations = {
      clock,
      dataDir,
      buses: this.buses,
      configs,
      keys: this.#keys,
      speeds: this.#speeds,
      escrow: () => this.#writeEscrow(),
      transfer: (operation: Extract<Operation, { kind: 'transfer' }>) => this.#planTransfer(operation),
    };
    this.#commissioning = new Commissioning({
      clock,
      random,
      dataDir,
      record,
      onFileFailure: (error) => log.warn({ error }, 'programs on this machine are not told where the API is'),
      plan: (operation, windowEndsAtMs) => planOperation(operations, operation, windowEndsAtMs),
      inventory: () => this.#inventory(),
      onChange,
    });
  }

  /** Once the field records. */
  start(): void {
    this.#started = true;
    this.#bundles.start();
    this.#commissioning.start();
    this.#recordRestore();
    this.#sealAgain();
    for (const bus of this.config.buses) void this.#finishSpeedChange(bus);
  }

  async stop(): Promise<void> {
    this.#bundles.stop();
    await this.#commissioning.stop();
  }

  /** After a stop: resolves when no transfer writes where it stands any more. */
  written(): Promise<void> {
    return this.#resumePoints.written();
  }

  listening(url: string): void {
    this.#commissioning.listening(url);
  }

  /** The plan that is in force from now on. */
  usePlan(plan: SitePlan): void {
    this.#plan = plan;
    this.buses.plan(plan.devices);
    if (this.#started) this.#sealAgain();
    this.deps.onChange();
  }

  view(): CommissioningView {
    return this.#commissioning.view();
  }

  busesView(): BusesView {
    return busesView(this.buses.health(), this.#inventory().devices);
  }

  handle(action: unknown, authorization: string | undefined): CommissioningAnswer {
    return this.#commissioning.handle(action, authorization);
  }

  /** Throws ERR_COMMISSIONING_TOKEN_REFUSED for anybody without access to the machine. */
  assertLocal(authorization: string | undefined): void {
    this.#commissioning.assertLocal(authorization);
  }

  #inventory(): Pick<CommissioningView, 'devices' | 'bundles' | 'escrow'> {
    return {
      devices: this.buses.devices.map(({ id, name, bus, address }) => ({
        id,
        ...(name === undefined ? {} : { name }),
        bus,
        address,
        key: this.#keys.stateOf(id),
      })),
      bundles: this.#bundles.bundles.map(bundleView),
      escrow: this.#escrow !== undefined,
    };
  }

  /** Rejects with ERR_ESCROW_WRITE_FAILED, which is recorded. */
  async #writeEscrow(): Promise<void> {
    await this.#escrow?.write({
      siteId: this.#plan?.site.id ?? '',
      gateway: this.config.gateway.name,
      sealedAtUnixMs: this.deps.clock.wall().unixMs,
      devices: [...this.#keys.held].map(([id, keys]) => {
        const device = this.buses.device(id);
        const place = device === undefined ? {} : { bus: device.bus, address: device.address };
        return { id, ...place, keys: heldKeysToJson(keys) };
      }),
      busSpeeds: Object.fromEntries(this.config.buses.map((bus) => [bus.id, this.#speeds.speedOf(bus)])),
    });
  }

  /** What was sealed last may be older than the policy, or than the configuration that asks for it. */
  #sealAgain(): void {
    // A bundle that knows no site would be worse than the one before.
    if (this.#plan === undefined || this.#keys.held.size === 0) return;
    this.#writeEscrow().catch(() => undefined);
  }

  /** Keys of another gateway are a matter of record, once. */
  #recordRestore(): void {
    const { keyStore, log, record } = this.deps;
    const digest = keyStore.restored;
    if (digest === undefined) return;
    record({ name: 'escrow.restored', detail: { digest } });
    keyStore.forgetRestored().catch((error: unknown) => log.warn({ error }, 'the restore will be recorded again'));
  }

  async #finishSpeedChange(config: BusConfig): Promise<void> {
    const tried = this.#speeds.triedOf(config);
    const bus = this.buses.bus(config.id);
    if (tried === undefined || bus === undefined) return;
    const { log } = this.deps;
    const busId = config.id;
    log.warn({ busId, tried }, 'a change of speed was interrupted; its devices are brought back');
    try {
      if (await finishSpeedChange(bus, tried)) await this.#speeds.set(config, bus.baudRate);
    } catch (error) {
      log.warn({ busId, error }, 'the devices of a bus could not be brought back; the next start tries again');
    }
  }

  #planTransfer(operation: Extract<Operation, { kind: 'transfer' }>): OperationPlan {
    if (this.#plan === undefined) throw new SparcError('ERR_POLICY_NONE', 'no policy says which readers share a door');
    const { dataDir, bundleSigners } = this.config;
    const line = new ReaderTransfers(this.buses);
    const deps = { clock: this.deps.clock, dataDir, bundleSigners, line, resume: this.#resumePoints };
    return { place: {}, work: transferWork(deps, this.#plan, operation) };
  }
}

const bundleView = ({ id, manifest: { name, version, payload } }: Bundle): CommissioningView['bundles'][number] => ({
  id,
  name,
  version,
  size: payload.sizeBytes,
});
