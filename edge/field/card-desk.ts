import type { Clock } from '@sparc/protocol/ports';
import { HostDesk, type AuthorisationHost } from '../host/index.js';
import type { PassageBook } from '../passages/index.js';
import type { RevocationBook } from '../revocation/index.js';
import type { SiteMode, Toggle } from '../site-mode/index.js';
import type { VisitorBook } from '../visitors/index.js';
import { CardToggles } from './card-toggles.js';
import { Decider } from './decider.js';
import type { Devices } from './devices.js';
import type { DoorSet } from './door-set.js';
import type { Indicator } from './indicator.js';
import type { PolicyInForce } from './policy-in-force.js';
import { Presentations } from './presentations.js';
import type { FieldLog, Recorder } from './recorder.js';
import { portKey, type SiteIndex } from './site-index.js';

export interface CardDeskDeps {
  readonly clock: Clock;
  readonly log: FieldLog;
  readonly recorder: Recorder;
  readonly devices: Devices;
  readonly doors: DoorSet;
  readonly indicator: Indicator;
  readonly index: () => SiteIndex;
  readonly policy: PolicyInForce;
  readonly siteMode: () => SiteMode;
  readonly passages: PassageBook;
  readonly revocations: RevocationBook;
  readonly visitors: VisitorBook;
  /** Undefined: it does not answer. */
  readonly host: AuthorisationHost | undefined;
  /** Rejects when it is refused, which is recorded. */
  readonly order: (toggle: Toggle, by: string) => Promise<void>;
}

/** Presentations of cards, as the policy in force and the books of a field judge them. */
export function cardDesk(deps: CardDeskDeps): Presentations {
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
  return presentations;
}
