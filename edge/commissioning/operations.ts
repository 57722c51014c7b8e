import { Type, type Static, type TProperties } from '@sinclair/typebox';
import type { ErrorCode } from '@sparc/protocol/errors';
import { BAUD_RATES } from '@sparc/protocol/osdp';

/** What a person may ask of a gateway while commissioning, and what the gateway tells of it. Plain data, no secret. */

const closed = <const K extends string, T extends TProperties>(kind: K, properties: T) =>
  Type.Object({ kind: Type.Literal(kind), ...properties }, { additionalProperties: false });

const Id = Type.String({ minLength: 1, maxLength: 64 });
const Address = Type.Integer({ minimum: 0, maximum: 126 });
const BaudRate = Type.Union(BAUD_RATES.map((rate) => Type.Literal(rate)));

export const OPERATIONS = {
  /** Looks for PDs; without lists, every rate of OSDP and every address. Devices of the plan are polled meanwhile. */
  discover: closed('discover', {
    bus: Id,
    baudRates: Type.Optional(Type.Array(BaudRate, { minItems: 1 })),
    addresses: Type.Optional(Type.Array(Address, { minItems: 1 })),
  }),
  /** Blinks and beeps, for somebody who stands in front of the readers. By plan (`device`), or as discovered. */
  identify: closed('identify', { device: Id }),
  identifyFound: closed('identifyFound', { bus: Id, address: Address, baudRate: BaudRate }),
  /** COMSET of one PD, as discovered, to a free address of the bus and to the rate of the bus. Rolled back if it is lost. */
  setAddress: closed('setAddress', { bus: Id, address: Address, baudRate: BaudRate, newAddress: Address }),
  /** COMSET of every device of a bus, then of the line. Rolled back unless all of them answer. */
  setBusSpeed: closed('setBusSpeed', { bus: Id, baudRate: BaudRate }),
  /** A new random SCBK for a device: over its present session, or over SCBK-D where it has none. */
  setKey: closed('setKey', { device: Id }),
  /** Frames of one bus to an osdpcap file in the data directory, ciphertext as it is on the line. */
  capture: closed('capture', { bus: Id, seconds: Type.Integer({ minimum: 1, maximum: 3_600 }) }),
  /**
   * Firmware or configuration from an imported bundle to the devices named, one reader of a pair at a time. A device that
   * drives a lock or carries an exit request is refused unless somebody accepts that its door is out of order meanwhile.
   */
  transfer: closed('transfer', {
    bundle: Id,
    devices: Type.Array(Id, { minItems: 1, maxItems: 126 }),
    acceptDoorOutage: Type.Optional(Type.Boolean()),
  }),
  /** Ends a task that runs. */
  cancel: closed('cancel', { task: Id }),
} as const;

export type Operation = { [K in keyof typeof OPERATIONS]: Static<(typeof OPERATIONS)[K]> }[keyof typeof OPERATIONS];
export type OperationKind = Operation['kind'];

/** The time in which a named person may commission. It ends by itself, and with the process. */
export interface WindowView {
  readonly operator: string;
  readonly endsAtUnixMs: number;
}

/** Something that a person asked for and that takes time. */
export interface TaskView {
  readonly id: string;
  readonly kind: Exclude<OperationKind, 'cancel'>;
  readonly operator: string;
  readonly startedAtUnixMs: number;
  readonly bus?: string;
  readonly device?: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** For people, such as `address 17 at 9600 baud`. */
  readonly step: string;
  /** 0 to 1. */
  readonly progress: number;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** Of `discover`, grows while it runs. */
  readonly found?: readonly FoundDevice[];
  /** Of `capture`: the file, in the data directory. */
  readonly file?: string;
}

/** A PD that answered a discovery. */
export interface FoundDevice {
  readonly address: number;
  readonly baudRate: number;
  /** Undefined where it refuses even ID in clear, or two devices answer at once (`conflict`). */
  readonly pdid?: {
    readonly vendor: string;
    readonly model: number;
    readonly version: number;
    readonly serial: number;
    readonly firmware: string;
  };
  /** Garbled or several answers: two devices at this address. */
  readonly conflict: boolean;
  readonly secureChannel?: boolean;
  /** PDCAP 9 says that SCBK-D is in use: it waits for its key. */
  readonly defaultKey?: boolean;
  /** The device of the plan that is expected at this address, if one is. */
  readonly device?: string;
}

/** The state of a reader's key. */
export type KeyState =
  /** Nobody has given it one. */
  | 'none'
  /** A session was opened with it. */
  | 'proven'
  /** A new key was sent and not proven yet: old and new are held. */
  | 'changing'
  /** The device refuses every key that is held: it needs a factory reset and a new key, on site. */
  | 'lost';

export interface CommissioningView {
  readonly window?: WindowView;
  /** Newest first; a bounded number of those that ended is kept. */
  readonly tasks: readonly TaskView[];
  readonly devices: readonly {
    readonly id: string;
    readonly name?: string;
    readonly bus: string;
    readonly address: number;
    readonly key: KeyState;
  }[];
  /** Imported bundles that verified. */
  readonly bundles: readonly {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly size: number;
  }[];
  /** True where key changes are sealed to a site recovery key. */
  readonly escrow: boolean;
}
