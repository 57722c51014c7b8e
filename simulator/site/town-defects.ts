import type { FieldBus, FieldBusHandlers } from '@sparc/protocol/ports';
import { defectWrappers } from './site-defects.js';
import type { TownWrappers } from './town-gateway.js';

/** Seeded defects, one for each checker of the town to catch. */
export const TOWN_DEFECTS = [
  'silentReaders',
  'forgottenDenials',
  'opensToAnyCard',
  'slowOutputs',
  'deadButtons',
  'deafToDirectives',
  'deafToReleases',
  'neglectsAuthor',
] as const;
export type TownDefect = (typeof TOWN_DEFECTS)[number];

const RELEASE_MS = 3_000;

/** What is between the parts of a gateway. `next`: the key of the gateway beside it. */
export function townWrappers(defect: TownDefect | undefined, gateway: number, next: string): TownWrappers {
  switch (defect) {
    case 'opensToAnyCard':
      return { fieldBus: opensToAnyCard };
    case 'deadButtons':
      return { fieldBus: (bus) => listening(bus, (handlers) => ({ ...handlers, onInput: withoutButtons(handlers) })) };
    case 'deafToDirectives':
      return gateway === 1 ? { heard: (heard) => ({ ...heard, entries: [] }) } : {};
    case 'deafToReleases':
      return {
        heard: (heard) => ({
          ...heard,
          entries: heard.entries.filter(({ record }) => record.detail?.['kind'] !== 'release'),
        }),
      };
    case 'neglectsAuthor':
      return gateway === 0 ? { isAuthor: (author) => author !== next } : {};
    case undefined:
      return {};
    default:
      return defectWrappers(defect);
  }
}

/** As it would be if the reader itself drove the strike. */
function opensToAnyCard(bus: FieldBus): FieldBus {
  return listening(bus, (handlers) => ({
    ...handlers,
    onCardRead: (read) => {
      const [, door = ''] = /^door-(\d+)-in/.exec(read.deviceId) ?? [];
      const at = Number(door) - 1;
      const [gateway, index] = [at % 16, Math.floor(at / 16)];
      const action = { kind: 'onFor', durationMs: RELEASE_MS } as const;
      if (door !== '')
        void bus.setOutput({ deviceId: `io-${gateway + 1}`, outputNumber: index, action, ttlMs: RELEASE_MS });
      handlers.onCardRead(read);
    },
  }));
}

/** Buttons are wired to the odd inputs. */
const withoutButtons =
  (handlers: FieldBusHandlers): FieldBusHandlers['onInput'] =>
  (change) => {
    if (change.inputNumber % 2 === 0) handlers.onInput(change);
  };

const listening = (bus: FieldBus, change: (handlers: FieldBusHandlers) => FieldBusHandlers): FieldBus => ({
  start: (handlers) => bus.start(change(handlers)),
  setOutput: (command) => bus.setOutput(command),
  indicate: (deviceId, readerNumber, indication) => bus.indicate(deviceId, readerNumber, indication),
  stop: () => bus.stop(),
});
