import {
  type AccessPoint,
  type Device,
  type Input,
  type Output,
  type Reader,
  type SitePlan,
  areaChain,
} from '@sparc/protocol/policy';
import type { InputState } from '@sparc/protocol/ports';
import type { Place } from '@sparc/protocol/site-mode';
import { doorSettings, type DoorSettings, type DoorWiring } from '../doors/index.js';

/** An access point with its reader. */
export interface Point {
  readonly accessPoint: AccessPoint;
  readonly reader: Reader;
  readonly device: Device;
}

/** What an input means. */
export interface InputUse {
  readonly doorId: string;
  readonly role: 'contact' | 'exitRequest';
  readonly deviceId: string;
  readonly inputNumber: number;
  readonly activeWhen: Input['activeWhen'];
}

export interface WiredDoor extends Place {
  readonly wiring: DoorWiring;
  readonly settings: DoorSettings;
  readonly inputs: readonly InputUse[];
  /** Doors that share an airlock with it. */
  readonly peerIds: readonly string[];
  /** An output is driven from the unsecured side, and somebody accepted it. */
  readonly hasUnsecuredRelay: boolean;
  /** Same text: same outputs, contact and exit request, so that what is known of them stays true. */
  readonly wiringKey: string;
}

/** A site plan by what the buses report. */
export interface SiteIndex {
  readonly plan: SitePlan | undefined;
  /** By `portKey` of the reader. */
  readonly points: ReadonlyMap<string, Point>;
  readonly accessPoints: ReadonlyMap<string, Point>;
  readonly doors: ReadonlyMap<string, WiredDoor>;
  /** By `portKey` of the input. */
  readonly inputs: ReadonlyMap<string, InputUse>;
}

export const EMPTY_SITE: SiteIndex = {
  plan: undefined,
  points: new Map(),
  accessPoints: new Map(),
  doors: new Map(),
  inputs: new Map(),
};

/** A numbered thing of a device. Device ids have no `#`. */
export const portKey = (deviceId: string, number: number): string => `${deviceId}#${number}`;
export const deviceOf = (key: string): string => key.slice(0, key.lastIndexOf('#'));

/** References that lead nowhere, which a validated plan does not have, leave their part out. */
export function indexSite(plan: SitePlan): SiteIndex {
  const devices = byId(plan.devices);
  const readers = byId(plan.readers);
  const points = new Map<string, Point>();
  const accessPoints = new Map<string, Point>();
  for (const accessPoint of plan.accessPoints) {
    const reader = readers.get(accessPoint.reader);
    const device = reader && devices.get(reader.device);
    if (!reader || !device) continue;
    const point = { accessPoint, reader, device };
    points.set(portKey(reader.device, reader.number), point);
    accessPoints.set(accessPoint.id, point);
  }
  const inputsById = byId(plan.inputs);
  const outputsById = byId(plan.outputs);
  const areasById = byId(plan.areas);
  const doors = new Map<string, WiredDoor>();
  const inputs = new Map<string, InputUse>();
  for (const door of plan.doors) {
    const lock = portOf(outputsById.get(door.lock.output));
    if (!lock) continue;
    const uses = [
      useOf(door.id, 'contact', inputsById.get(door.contact?.input ?? '')),
      useOf(door.id, 'exitRequest', inputsById.get(door.exitRequest?.input ?? '')),
    ].filter((use) => use !== undefined);
    for (const use of uses) inputs.set(portKey(use.deviceId, use.inputNumber), use);
    const touched = plan.accessPoints
      .filter((point) => point.door === door.id)
      .flatMap(({ areaFrom, areaTo }) => [areaFrom, areaTo])
      .flatMap((area) => areaChain((id) => areasById.get(id), area).map(({ id }) => id));
    const doorReaders = [...points.values()].filter((point) => point.accessPoint.door === door.id);
    const shunt = portOf(outputsById.get(door.shunt?.output ?? ''));
    const doubleLock = portOf(outputsById.get(door.doubleLock?.output ?? ''));
    const outputs = { lock, ...(shunt && { shunt }), ...(doubleLock && { doubleLock }) };
    doors.set(door.id, {
      door,
      areas: [...new Set(touched)],
      wiring: {
        id: door.id,
        outputs,
        readers: doorReaders.map(({ reader }) => ({ deviceId: reader.device, number: reader.number })),
      },
      settings: doorSettings(door),
      inputs: uses,
      peerIds: plan.doors
        .filter(({ id, interlocks }) => id !== door.id && interlocks?.some((name) => door.interlocks?.includes(name)))
        .map(({ id }) => id),
      hasUnsecuredRelay: [lock, shunt, doubleLock].some(
        (port) => port !== undefined && devices.get(port.deviceId)?.side === 'unsecured',
      ),
      wiringKey: JSON.stringify([outputs, uses]),
    });
  }
  return { plan, points, accessPoints, doors, inputs };
}

const byId = <T extends { readonly id: string }>(list: readonly T[]): Map<string, T> =>
  new Map(list.map((item) => [item.id, item]));

const portOf = (output: Output | undefined) => output && { deviceId: output.device, outputNumber: output.number };

function useOf(doorId: string, role: InputUse['role'], input: Input | undefined): InputUse | undefined {
  return input && { doorId, role, deviceId: input.device, inputNumber: input.number, activeWhen: input.activeWhen };
}

/** The state of an input in the terms of its use; a fault of the wiring stays one. */
export function signalOf(use: InputUse, state: InputState): InputState {
  if (use.activeWhen === 'active') return state;
  if (state === 'active') return 'inactive';
  return state === 'inactive' ? 'active' : state;
}
