import type { BusHealth } from '@sparc/firmware-bridges/osdp';
import { busFindings, type BusesView, type CommissioningView, type DeviceHealthView } from '../commissioning/index.js';

type PlannedDevice = CommissioningView['devices'][number];

/** The health of all buses, and what a person should know of it. */
export function busesView(health: readonly BusHealth[], planned: readonly PlannedDevice[]): BusesView {
  return {
    buses: health.map(({ busId: id, link: _link, devices, ...rest }) => {
      const views = planned
        .filter(({ bus }) => bus === id)
        .map((plan): DeviceHealthView => {
          const known = devices.find(({ deviceId }) => deviceId === plan.id);
          return { ...(known ?? unpolled(plan)), key: plan.key };
        });
      const bus = { id, ...rest, devices: views };
      return { ...bus, findings: busFindings(bus) };
    }),
  };
}

/** A device without a key is not polled before somebody commissions it. */
const unpolled = ({ id: deviceId, address }: PlannedDevice) => ({
  deviceId,
  address,
  link: 'offline' as const,
  secure: false,
  sentCount: 0,
  retryCount: 0,
  timeoutCount: 0,
  badCheckCount: 0,
  naks: [],
  sessionStartCount: 0,
  sessionRestartCount: 0,
});
