import type { PdId } from '@sparc/protocol/osdp';

/** What a device keeps without power. */
export interface DeviceMemory {
  readonly address: number;
  readonly baudRate: number;
  /** Without one it takes SCBK-D, until the first KEYSET. */
  readonly scbk?: Uint8Array;
  /** Where it is another than it was delivered with. */
  readonly firmware?: PdId['firmware'];
}

/** As makers deliver: address 0 at 9600 baud, and no key (SIA OSDP v2.2, "Installation"; 9600 is the default rate). */
export const FACTORY_MEMORY: DeviceMemory = { address: 0, baudRate: 9_600 };
