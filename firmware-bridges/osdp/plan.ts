import type { AcuOptions, Dialect } from '@sparc/protocol/osdp';
import type { ByteLink } from '@sparc/protocol/ports';

export interface FieldBusPlan {
  readonly buses: readonly BusPlan[];
}

/** What is configured to hang on one bus. */
export interface BusPlan {
  readonly busId: string;
  readonly link: ByteLink;
  readonly devices: readonly DevicePlan[];
}

export interface DevicePlan {
  readonly deviceId: string;
  /** 0x00–0x7E (0x7F is the configuration address). */
  readonly address: number;
  readonly secureChannel: SecureChannelPlan;
  /** Where it differs from that of the bus, as while the rate of the bus is changed. */
  readonly baudRate?: number;
  /** How it speaks where stacks disagree. Default DIALECTS.standard. */
  readonly dialect?: Dialect;
}

/** Where a PD is on a line. */
export interface Place {
  /** 0x00 to 0x7E, or 0x7F where exactly one PD hears it. */
  readonly address: number;
  /** Bits a second. */
  readonly baudRate: number;
}

/** Configuration, never discovered: `clear` is a recorded choice, `required` is never lowered by what a device says. */
export type SecureChannelPlan = AcuOptions['secureChannel'];

/** All devices that share their address with another of their bus: on the line they would talk at the same time. */
export function addressConflicts(devices: readonly DevicePlan[]): DevicePlan[] {
  return devices.filter((device) => devices.some((other) => other !== device && other.address === device.address));
}

/** True where one plan says what the other does, keys included. */
export function samePlan(a: DevicePlan, b: DevicePlan): boolean {
  const text = (plan: DevicePlan) =>
    JSON.stringify(plan, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value));
  return text(a) === text(b);
}
