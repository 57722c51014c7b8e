import type { PdDevice } from '../../devices/index.js';
import type { Violations } from '../violation.js';

/** After the last fault every device is back, in a Secure Channel session that the device itself sees. */
export class DevicesReturn {
  constructor(private readonly violations: Violations) {}

  check(devices: Iterable<PdDevice>, isOnline: (deviceId: string) => boolean): void {
    for (const { id, secure } of devices) {
      if (!isOnline(id)) this.violations.add('devices-return', `${id} did not come back`);
      else if (!secure) this.violations.add('devices-return', `${id} counts as online and has no session`);
    }
  }
}
