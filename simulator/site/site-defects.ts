import { HLC_ZERO } from '@sparc/protocol/hlc';
import type { SiteFile } from '@sparc/protocol/policy';
import type { Clock, FieldBus, Journal, OutputAction } from '@sparc/protocol/ports';
import { sleep } from '../world/index.js';
import type { GatewayWrappers } from './simulated-gateway.js';

/** Seeded defects, one for each checker of the site world to catch. */
export const SITE_DEFECTS = [
  'lyingDisk',
  'blindToStatus',
  'silentReaders',
  'forgottenDenials',
  'slowOutputs',
  'endlessRelease',
] as const;
export type SiteDefect = (typeof SITE_DEFECTS)[number];

/** Later than anybody who leaves may be kept waiting, and sooner than a release may be late. */
const SLOW_OUTPUT_MS = 1_200;

/** The site as a gateway sees it that does not look at the status of a credential. */
export function blindToStatus(site: SiteFile): SiteFile {
  return { ...site, credentials: site.credentials.map((credential) => ({ ...credential, status: 'active' })) };
}

export function defectWrappers(defect: SiteDefect | undefined): GatewayWrappers {
  switch (defect) {
    case 'silentReaders':
      return { fieldBus: (bus) => changed(bus, { indicate: () => undefined }) };
    case 'slowOutputs':
      return {
        fieldBus: (bus, clock: Clock) =>
          changed(bus, {
            setOutput: async (command) => {
              await sleep(clock, SLOW_OUTPUT_MS);
              return bus.setOutput(command);
            },
          }),
      };
    case 'endlessRelease':
      return {
        fieldBus: (bus) =>
          changed(bus, { setOutput: (command) => bus.setOutput({ ...command, action: endless(command.action) }) }),
      };
    case 'forgottenDenials':
      return { journal: withoutDenials };
    case 'lyingDisk':
    case 'blindToStatus':
    case undefined:
      return {};
  }
}

function changed(bus: FieldBus, changes: Partial<FieldBus>): FieldBus {
  return {
    start: (handlers) => bus.start(handlers),
    setOutput: (command) => bus.setOutput(command),
    indicate: (deviceId, readerNumber, indication) => bus.indicate(deviceId, readerNumber, indication),
    stop: () => bus.stop(),
    ...changes,
  };
}

function endless(action: OutputAction): OutputAction {
  if (action.kind === 'onFor') return { kind: 'on' };
  return action.kind === 'offFor' ? { kind: 'off' } : action;
}

const NO_ENTRY = { author: '', epoch: 0, sequence: 0 };

function withoutDenials(journal: Journal): Journal {
  return {
    append: async (draft) =>
      draft.record.name === 'access.denied'
        ? { id: NO_ENTRY, hlc: HLC_ZERO, wallUnixMs: 0, timeQuality: 'synced', record: draft.record }
        : journal.append(draft),
    observe: (hlc) => journal.observe(hlc),
    openEpochAbove: (counter) => journal.openEpochAbove(counter),
  };
}
