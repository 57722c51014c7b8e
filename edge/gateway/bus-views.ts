import type { BusHealth } from '@sparc/firmware-bridges/osdp';
import { busFindings, type BusesView, type KeyState } from '../commissioning/index.js';

/** The health of all buses, and what a person should know of it. */
export function busesView(health: readonly BusHealth[], keyOf: (deviceId: string) => KeyState): BusesView {
  return {
    buses: health.map(({ busId: id, link: _link, devices, ...rest }) => {
      const bus = { id, ...rest, devices: devices.map((device) => ({ ...device, key: keyOf(device.deviceId) })) };
      return { ...bus, findings: busFindings(bus) };
    }),
  };
}
