import type { Heard, HeardEntry } from '@sparc/edge/heard';
import type { EventRecord } from '@sparc/protocol/events';
import type { FieldBus, FieldBusHandlers, Journal } from '@sparc/protocol/ports';
import type { CardBits } from '../devices/index.js';
import {
  TOWN_DOORS,
  TOWN_FIRE_INPUT_NUMBER,
  TOWN_GATEWAYS_COUNT,
  townAreasOf,
  townBellRule,
  townFireInput,
} from '../scenarios/index.js';
import { defectWrappers } from './site-defects.js';
import type { TownWrappers } from './town-gateway.js';
import { townCard } from './town-people.js';

/** Seeded defects, one for each checker of the town to catch. */
export const TOWN_DEFECTS = [
  'silentReaders',
  'forgottenDenials',
  'opensToAnyCard',
  'opensInLockdown',
  'opensToRevoked',
  'slowOutputs',
  'deadButtons',
  'deafToDirectives',
  'deafToReleases',
  'neglectsAuthor',
  'deafToClaims',
  'countsAlone',
  'blindToScope',
  'believesAnyFire',
  'deafToDetectors',
  'deafToRuns',
  'believesAnyRun',
  'believesAnyClaim',
  'believesAnyName',
] as const;
export type TownDefect = (typeof TOWN_DEFECTS)[number];

const RELEASE_MS = 3_000;

/** What is between the parts of a gateway. `keys`: of all. */
export function townWrappers(defect: TownDefect | undefined, gateway: number, keys: readonly string[]): TownWrappers {
  switch (defect) {
    case 'opensToAnyCard':
      return { fieldBus: (bus) => openingTo(bus, () => true) };
    case 'opensInLockdown': {
      let isLockedDown = false;
      return {
        journal: (journal) => watched(journal, ({ name }) => (isLockedDown ||= name === 'site.lockdown')),
        fieldBus: (bus) => openingTo(bus, () => isLockedDown),
      };
    }
    case 'opensToRevoked': {
      const revoked = new Set<string>();
      return {
        journal: (journal) =>
          watched(journal, ({ name, credentialId = '' }) => {
            if (name === 'revocation.applied') revoked.add(keyOf(townCard(numberOf(credentialId))));
          }),
        fieldBus: (bus) => openingTo(bus, (card) => revoked.has(keyOf(card))),
      };
    }
    case 'deadButtons':
      return { fieldBus: (bus) => listening(bus, (handlers) => ({ ...handlers, onInput: withoutButtons(handlers) })) };
    case 'deafToDetectors':
      return {
        fieldBus: (bus) => listening(bus, (handlers) => ({ ...handlers, onInput: withoutDetectors(handlers) })),
      };
    case 'deafToDirectives':
      return gateway === 1 ? { heard: (heard) => ({ ...heard, entries: [] }) } : {};
    case 'deafToReleases':
      return { heard: without(({ record: { detail } }) => detail?.['kind'] === 'release') };
    case 'deafToClaims':
      return gateway === 1 ? { heard: without(({ record }) => record.name === 'area.moved') } : {};
    case 'countsAlone':
      // Of two gateways of a block one knows only whom it let in itself.
      return gateway % 2 === 1 ? { heard: without(({ record }) => record.name === 'area.moved') } : {};
    case 'deafToRuns':
      return { heard: without(({ record }) => record.name === 'linkage.ran') };
    case 'believesAnyRun':
      return { heard: (heard) => ({ ...heard, entries: heard.entries.map((entry) => ranAtItsBell(entry, keys)) }) };
    case 'believesAnyClaim':
      return { heard: (heard) => ({ ...heard, entries: heard.entries.map((entry) => claimedAtItsGate(entry, keys)) }) };
    case 'believesAnyName': {
      const named = new Set<string>();
      return { heard: without(({ record, id }) => isNamedAway(named, id.author, record)) };
    }
    case 'blindToScope':
      return {
        heard: (heard) => ({ ...heard, delegations: heard.delegations.map((each) => ({ ...each, scope: [] })) }),
      };
    case 'believesAnyFire':
      return { heard: (heard) => ({ ...heard, entries: heard.entries.map(fireOfItsOwn) }) };
    case 'neglectsAuthor':
      return gateway === 0 ? { isAuthor: (author) => author !== keys[1] } : {};
    case undefined:
      return {};
    default:
      return defectWrappers(defect);
  }
}

/** As it would be if the reader itself drove the strike. */
function openingTo(bus: FieldBus, opens: (card: CardBits) => boolean): FieldBus {
  return listening(bus, (handlers) => ({
    ...handlers,
    onCardRead: (read) => {
      const door = TOWN_DOORS.find(({ id }) => read.deviceId === `${id}-in-device`);
      const action = { kind: 'onFor', durationMs: RELEASE_MS } as const;
      if (door !== undefined && opens(read)) {
        const strike = { deviceId: `io-${door.gateway + 1}`, outputNumber: door.index };
        void bus.setOutput({ ...strike, action, ttlMs: RELEASE_MS });
      }
      handlers.onCardRead(read);
    },
  }));
}

/** Tells what is on its way into a journal. */
const watched = (journal: Journal, onRecord: (record: EventRecord) => void): Journal => ({
  append: (draft) => {
    onRecord(draft.record);
    return journal.append(draft);
  },
  observe: (hlc) => journal.observe(hlc),
  openEpochAbove: (counter) => journal.openEpochAbove(counter),
});

/** What comes of what the others said, but for some of it. */
const without =
  (isMissed: (entry: HeardEntry) => boolean) =>
  (heard: Heard): Heard => ({ ...heard, entries: heard.entries.filter((entry) => !isMissed(entry)) });

/** As if the detector hung at the gateway that tells of it, and not at the one beside it. */
function fireOfItsOwn(entry: HeardEntry): HeardEntry {
  const { name, detail = {} } = entry.record;
  const told = INPUTS.indexOf(detail['input'] ?? '');
  if (name !== 'fire.alarm' || told < 0) return entry;
  return { ...entry, record: { ...entry.record, detail: { ...detail, input: townFireInput(told ^ 1) } } };
}

/** As if whoever says that a rule ran had the bell that it waits for. */
function ranAtItsBell(entry: HeardEntry, keys: readonly string[]): HeardEntry {
  const { name, detail = {} } = entry.record;
  if (name !== 'linkage.ran') return entry;
  const at = keys.findIndex((_, gateway) => townBellRule(gateway) === detail['rule']);
  return { ...entry, id: { ...entry.id, author: keys[at] ?? entry.id.author } };
}

/** As if whoever says that somebody is in a block had a gate of it. */
function claimedAtItsGate(entry: HeardEntry, keys: readonly string[]): HeardEntry {
  const { name, detail = {} } = entry.record;
  const { to } = detail;
  if (name !== 'area.moved' || townAreasOf(keys.indexOf(entry.id.author)).includes(to)) return entry;
  const at = keys.findIndex((_, gateway) => townAreasOf(gateway).includes(to));
  return { ...entry, id: { ...entry.id, author: keys[at] ?? entry.id.author } };
}

/** As if a claim took the place of all that a gateway says of somebody in the epochs before the one that it names. */
function isNamedAway(named: Set<string>, author: string, { name, holderId, supersedes }: EventRecord): boolean {
  if (name !== 'area.moved') return false;
  if (supersedes !== undefined && supersedes.epoch > EPOCHS_MAX) named.add(`${holderId} ${supersedes.author}`);
  return named.has(`${holderId} ${author}`);
}

/** No gateway starts so often. */
const EPOCHS_MAX = 100_000;

const INPUTS = Array.from({ length: TOWN_GATEWAYS_COUNT }, (_, gateway) => townFireInput(gateway));

const numberOf = (credentialId: string): number => Number(credentialId.slice('card-'.length));
const keyOf = ({ bits }: CardBits): string => Buffer.from(bits).toString('hex');

/** Buttons are wired to the odd inputs. */
const withoutButtons =
  (handlers: FieldBusHandlers): FieldBusHandlers['onInput'] =>
  (change) => {
    if (change.inputNumber % 2 === 0) handlers.onInput(change);
  };

const withoutDetectors =
  (handlers: FieldBusHandlers): FieldBusHandlers['onInput'] =>
  (change) => {
    if (change.inputNumber !== TOWN_FIRE_INPUT_NUMBER) handlers.onInput(change);
  };

const listening = (bus: FieldBus, change: (handlers: FieldBusHandlers) => FieldBusHandlers): FieldBus => ({
  start: (handlers) => bus.start(change(handlers)),
  setOutput: (command) => bus.setOutput(command),
  indicate: (deviceId, readerNumber, indication) => bus.indicate(deviceId, readerNumber, indication),
  stop: () => bus.stop(),
});
