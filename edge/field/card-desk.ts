import { HostDesk, type AuthorisationHost } from '../host/index.js';
import type { Toggle } from '../site-mode/index.js';
import { CardToggles } from './card-toggles.js';
import { Decider, type DeciderDeps } from './decider.js';
import type { Devices } from './devices.js';
import type { Indicator } from './indicator.js';
import { Presentations } from './presentations.js';
import type { Recorder } from './recorder.js';
import { portKey } from './site-index.js';

export interface CardDeskDeps extends Omit<DeciderDeps, 'lockOuts'> {
  readonly recorder: Recorder;
  readonly devices: Devices;
  readonly indicator: Indicator;
  /** Undefined: it does not answer. */
  readonly host: AuthorisationHost | undefined;
  /** Rejects when it is refused, which is recorded. */
  readonly order: (toggle: Toggle, by: string) => Promise<void>;
}

/** Presentations of cards, and who judges them by the policy in force and the books of a field. */
export function cardDesk(deps: CardDeskDeps): { readonly presentations: Presentations; readonly decider: Decider } {
  const { clock, log, recorder, devices, doors, indicator, index, policy, passages } = deps;
  const toggles = new CardToggles({ clock, view: () => policy.view, index, doors, order: deps.order });
  const decider = new Decider({ ...deps, lockOuts: () => presentations.lockOuts });
  const presentations: Presentations = new Presentations({
    clock,
    recorder,
    log,
    host: new HostDesk({ clock, host: deps.host, record: recorder.record }),
    site: {
      point: (deviceId, readerNumber) => index().points.get(portKey(deviceId, readerNumber)),
      unknownPointReason: () => (policy.view === undefined ? 'no_policy' : 'point_unknown'),
      isTampered: (deviceId) => devices.get(deviceId)?.tampered ?? false,
      decide: (request) => decider.decide(request),
      obstacle: (decision, presentation) => decider.obstacle(decision, presentation),
      door: (doorId) => doors.get(doorId),
      reserve: (decision, request) => passages.reserve(decision, request),
      announcePolicy: () => policy.announce(),
      released: (party) => party.forEach((each) => toggles.released(each)),
      indicate: ({ reader }, indication) => indicator.indicate(reader.device, reader.number, indication),
      siteId: () => index().plan?.site.id ?? '',
      mayEscort: (decision) => decider.mayEscort(decision),
    },
  });
  return { presentations, decider };
}
