import type { DevicePlan } from '@sparc/firmware-bridges/osdp';
import { hex, LIBOSDP, type LibosdpDeviceConfig } from './libosdp-peer.js';

/** What a libosdp PD says that it can do: 4 inputs, 2 outputs, one reader with LED, buzzer and text. */
export const CAPABILITIES: NonNullable<LibosdpDeviceConfig['capabilities']> = [
  [1, 1, 4],
  [2, 4, 2],
  [3, 1, 0],
  [4, 4, 1],
  [5, 2, 1],
  [6, 1, 1],
  [8, 1, 0],
  [9, 1, 1],
  [13, 0, 1],
];

export interface Reader {
  readonly plan: DevicePlan;
  readonly libosdp: LibosdpDeviceConfig;
}

/** A key that is none of those which everybody tries. */
export function key(seed: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, byte) => (byte * byte * 37 + byte * seed * 11 + seed * 5 + 91) & 0xff);
}

/** Readers at the addresses from 1 on, each with a key of its own, both as we and as libosdp configure them. */
export function readers(count: number): readonly Reader[] {
  return Array.from({ length: count }, (_, index) => {
    const scbk = key(index);
    const address = index + 1;
    return {
      plan: { deviceId: `reader-${address}`, address, secureChannel: { mode: 'required', scbk } },
      libosdp: { address, flags: [LIBOSDP.flag.enforceSecure], scbk: hex(scbk), capabilities: CAPABILITIES },
    };
  });
}
