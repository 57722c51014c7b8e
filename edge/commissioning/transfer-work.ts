import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { SitePlan } from '@sparc/protocol/policy';
import {
  loadBundle,
  recipientOf,
  TransferJob,
  type Recipient,
  type RecipientState,
  type ResumePoints,
  type TransferLine,
} from '../reader-bundles/index.js';
import type { Operation } from './operations.js';
import type { TaskWork } from './task-list.js';

export interface TransferWorkDeps {
  readonly clock: Clock;
  readonly dataDir: string;
  /** Raw Ed25519 public keys. */
  readonly bundleSigners: readonly Uint8Array[];
  readonly line: TransferLine;
  readonly resume: ResumePoints;
}

/**
 * A bundle to the devices that an operation names. Throws ERR_COMMISSIONING_DEVICE_UNKNOWN and ERR_BUNDLE_DOOR_OUTAGE; the
 * work fails with the first error of a device, after every other one has had its turn.
 */
export function transferWork(
  deps: TransferWorkDeps,
  plan: SitePlan,
  { bundle: bundleId, devices, acceptDoorOutage }: Extract<Operation, { kind: 'transfer' }>,
): TaskWork {
  const recipients = [...new Set(devices)].map((deviceId) => recipientIn(plan, deviceId));
  if (acceptDoorOutage !== true) recipients.forEach(assertNoOutage);
  return async (signal, report) => {
    const bundle = await loadBundle(deps.dataDir, bundleId, deps.bundleSigners);
    const size = bundle.payload.length;
    const job = new TransferJob(deps, bundle, recipients, (states) =>
      report({ step: stepText(states, size), progress: progressOf(states, size) }),
    );
    const ends = await job.run(signal);
    for (const end of ends.values()) if (end.kind === 'failed') throw end.error;
    signal.throwIfAborted();
  };
}

function recipientIn(plan: SitePlan, deviceId: string): Recipient {
  const recipient = recipientOf(plan, deviceId);
  if (recipient !== undefined) return recipient;
  throw new SparcError('ERR_COMMISSIONING_DEVICE_UNKNOWN', `the policy knows no device ${deviceId}`, { deviceId });
}

function assertNoOutage({ deviceId, outageDoorIds }: Recipient): void {
  if (outageDoorIds.length === 0) return;
  const message = `${deviceId} drives the lock or carries the exit request of ${outageDoorIds.join(', ')}`;
  throw new SparcError('ERR_BUNDLE_DOOR_OUTAGE', message, { deviceId, doors: outageDoorIds });
}

/** For people: who has got it, who is getting it, who still waits. */
function stepText(states: ReadonlyMap<string, RecipientState>, size: number): string {
  return [...states].map(([deviceId, state]) => `${deviceId}: ${stateText(state, size)}`).join('; ');
}

function stateText(state: RecipientState, size: number): string {
  switch (state.kind) {
    case 'waiting':
      return 'waits';
    case 'sending':
      return `${Math.floor((100 * state.sentBytes) / size)} %`;
    case 'proving':
      return 'starts anew';
    case 'done':
      return `runs ${state.firmware}`;
    case 'aborted':
      return 'given up';
    case 'failed':
      return state.error.code;
  }
}

function progressOf(states: ReadonlyMap<string, RecipientState>, size: number): number {
  const shares = [...states.values()].map((state) => {
    if (state.kind === 'waiting') return 0;
    return state.kind === 'sending' ? state.sentBytes / size : 1;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
