import type { BusHealth, DeviceHealth } from '@sparc/firmware-bridges/osdp';
import type { Finding } from './bus-findings.js';
import type { KeyState } from './operations.js';

/** What one reader's replies were like, and where its key stands. */
export interface DeviceHealthView extends Omit<DeviceHealth, 'pollCount' | 'replyCount' | 'unsupportedReplyCount'> {
  readonly key: KeyState;
}

/** The health of a bus as an installer reads it. */
export interface BusView extends Omit<BusHealth, 'busId' | 'link' | 'devices'> {
  readonly id: string;
  readonly devices: readonly DeviceHealthView[];
}

/** The answer of `GET /api/buses`. */
export interface BusesView {
  readonly buses: readonly (BusView & { readonly findings: readonly Finding[] })[];
}
