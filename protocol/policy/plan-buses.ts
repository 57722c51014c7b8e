import type { SitePlan } from './site-plan.js';

/** What of a plan hangs on a bus. */
export type WiredPlan = Pick<SitePlan, 'devices' | 'readers' | 'inputs' | 'outputs' | 'doors' | 'accessPoints'>;
export type WiredPart = 'device' | 'reader' | 'input' | 'output' | 'door' | 'accessPoint';

/** On which bus each part of a plan hangs: a door on that of its lock, and an access point on that of its door. */
export class PlanBuses {
  /** Those that the plan has devices on. */
  readonly all: ReadonlySet<string>;
  /** By kind and id of the part. */
  readonly #busOf = new Map<string, string>();

  constructor({ devices, readers, inputs, outputs, doors, accessPoints }: WiredPlan) {
    this.all = new Set(devices.map(({ bus }) => bus));
    for (const { id, bus } of devices) this.#put('device', id, bus);
    for (const { id, device } of readers) this.#put('reader', id, this.of('device', device));
    for (const { id, device } of inputs) this.#put('input', id, this.of('device', device));
    for (const { id, device } of outputs) this.#put('output', id, this.of('device', device));
    for (const { id, lock } of doors) this.#put('door', id, this.of('output', lock.output));
    for (const { id, door } of accessPoints) this.#put('accessPoint', id, this.of('door', door));
  }

  /** Undefined for what the plan does not have. */
  of(part: WiredPart, id: string): string | undefined {
    return this.#busOf.get(`${part} ${id}`);
  }

  #put(part: WiredPart, id: string, bus: string | undefined): void {
    if (bus !== undefined) this.#busOf.set(`${part} ${id}`, bus);
  }
}
