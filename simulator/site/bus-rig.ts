import { OsdpFieldBus, type BusPlan, type DevicePlan } from '@sparc/firmware-bridges/osdp';
import type { SiteFile } from '@sparc/protocol/policy';
import type { FieldBusHandlers } from '@sparc/protocol/ports';
import { buildSite, type DeviceMemory, type SimulatedSite } from '../devices/index.js';
import { NothingInClear, Violations } from '../scenarios/index.js';
import { RunDigest, SerialLine, SimulatedByteLink, VirtualClock, type SeededRandom } from '../world/index.js';
import type { WorldReport } from './world-report.js';

export interface BusRigOptions {
  readonly random: SeededRandom;
  readonly site: SiteFile;
  readonly baudRate: number;
  /** Of the devices; by device id. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly memories?: ReadonlyMap<string, DeviceMemory>;
  /** What the gateway knows of the devices; default: as they are. Undefined: nothing, it is not on the bus. */
  readonly plan?: (deviceId: string) => DevicePlan['secureChannel'] | undefined;
  readonly onKeyProven?: (deviceId: string, scbk: Uint8Array) => void;
}

/** A real field bus and the simulated site that it runs, byte for byte on a virtual clock, with the wires being watched. */
export class BusRig {
  readonly clock = new VirtualClock();
  readonly violations = new Violations(() => this.clock.monotonicMs());
  readonly wire = new NothingInClear(this.violations);
  readonly site: SiteFile;
  readonly lines: ReadonlyMap<string, SerialLine>;
  readonly links: ReadonlyMap<string, SimulatedByteLink>;
  readonly built: SimulatedSite;
  readonly bus: OsdpFieldBus;
  readonly online = new Set<string>();
  readonly #digest = new RunDigest();

  constructor(options: BusRigOptions) {
    const { random, site, baudRate, keys, memories, onKeyProven } = options;
    this.site = site;
    const busIds = [...new Set(site.devices.map(({ bus }) => bus))];
    this.lines = new Map(busIds.map((id) => [id, new SerialLine(this.clock, random.fork(`line/${id}`))]));
    this.links = new Map(
      [...this.lines].map(([id, line]) => [id, new SimulatedByteLink(this.clock, line, id, baudRate)]),
    );
    this.built = buildSite({
      clock: this.clock,
      random: random.fork('devices'),
      site,
      lines: this.lines,
      keys,
      baudRate,
      ...(memories && { memories }),
    });
    const asTheyAre = (id: string): DevicePlan['secureChannel'] => {
      const scbk = keys.get(id);
      return scbk ? { mode: 'required', scbk } : { mode: 'clear' };
    };
    const { plan = asTheyAre } = options;
    const buses = [...this.links].map(([busId, link]): BusPlan => ({
      busId,
      link,
      devices: site.devices.flatMap(({ id, address, bus }) => {
        const secureChannel = bus === busId ? plan(id) : undefined;
        return secureChannel === undefined ? [] : [{ deviceId: id, address, secureChannel }];
      }),
    }));
    const deps = { clock: this.clock, random: random.fork('acu'), ...(onKeyProven && { onKeyProven }) };
    this.bus = new OsdpFieldBus(deps, { buses });
    for (const line of this.lines.values()) {
      line.onRecord = (record) => {
        this.trace(`${record.from} ${record.bytes.join()} ${[...record.faults].join()}`);
        this.wire.seen(record);
      };
    }
  }

  /** What `handlers` leaves out is traced. */
  start(handlers: Partial<FieldBusHandlers>): void {
    this.bus.start({
      onCardRead: () => undefined,
      onKeypad: () => undefined,
      onInput: ({ deviceId, inputNumber, state }) => this.trace(`input ${deviceId} ${inputNumber} ${state}`),
      onOutput: ({ deviceId, outputNumber, active }) => this.trace(`output ${deviceId} ${outputNumber} ${active}`),
      onDevice: ({ deviceId, link, secure }) => {
        this.trace(`device ${deviceId} ${link} ${secure}`);
        if (link === 'online') this.online.add(deviceId);
        else this.online.delete(deviceId);
      },
      onBus: ({ busId, up }) => this.trace(`bus ${busId} ${up}`),
      onAlarm: ({ code }) => this.trace(`alarm ${code}`),
      ...handlers,
    });
  }

  /** Into the digest. */
  trace(line: string): void {
    this.#digest.add(`${this.clock.monotonicMs().toFixed(3)} ${line}`);
  }

  /** `fired`: faults beside those of lines, stubs and quirks. */
  report(fired: ReadonlyMap<string, number>, counts: Readonly<Record<string, number>>): WorldReport {
    const faultsFired = new Map(fired);
    const devices = [...this.built.devices.values()];
    const lines = [...this.lines.values()];
    const counters = [
      ...lines.map(({ faults }) => faults.fired),
      ...devices.flatMap(({ stub, quirks }) => [stub.faults.fired, quirks.fired]),
    ];
    for (const counter of counters) {
      for (const [fault, count] of counter) faultsFired.set(fault, (faultsFired.get(fault) ?? 0) + count);
    }
    const sum = (of: (line: SerialLine) => number) => lines.reduce((total, line) => total + of(line), 0);
    return {
      digest: this.#digest.toString(),
      violations: this.violations.found,
      faultsFired,
      counts: {
        simulatedMs: this.clock.monotonicMs(),
        devices: devices.length,
        bytes: sum(({ bytesCarried }) => bytesCarried),
        collisions: sum(({ collisions }) => collisions),
        ...counts,
      },
    };
  }
}
