import { isEventName, type EventRecord } from '@sparc/protocol/events';
import { durationMs } from './local-time.js';
import { Mismatch, type Look } from './look.js';
import type { Port } from './scenario-site.js';
import { Vocabulary, type Sentence } from './vocabulary.js';

type Check = Sentence<Look>;

const NOBODY = 'nobody';

const isGranted = ({ name }: EventRecord): boolean => name.startsWith('access.granted');
const isDenied = ({ name }: EventRecord): boolean => name === 'access.denied';
const isPending = (record: EventRecord): boolean => !isGranted(record) && !isDenied(record);
const isOf =
  (who: string, point: string) =>
  ({ credentialId, accessPointId, deviceId }: EventRecord): boolean =>
    (credentialId ?? NOBODY) === who && (accessPointId ?? deviceId) === point;
const areSame = (reasons: readonly string[] | undefined, text: string): boolean => (reasons ?? []).join(', ') === text;

function decision(look: Look, fits: (record: EventRecord) => boolean): void {
  if (look.takeDecision(fits) === undefined) throw new Mismatch('there was no such decision, or not in this place');
}

const DECISIONS: readonly Check[] = [
  {
    phrase: '{card} is granted at {point}',
    means: 'a decision granted, and no check failed; `nobody` for a card that is not known',
    run: (look, who = '', point = '') =>
      decision(look, (each) => isGranted(each) && isOf(who, point)(each) && areSame(each.flags, '')),
  },
  {
    phrase: '{card} is granted at {point} although {reasons}',
    means: 'granted, and exactly these checks flagged, in the order of their rank',
    run: (look, who = '', point = '', flags = '') =>
      decision(look, (each) => isGranted(each) && isOf(who, point)(each) && areSame(each.flags, flags)),
  },
  {
    phrase: '{card} is denied at {point} because {reason}',
    means: 'denied for this primary reason, whatever failed beside it',
    run: (look, who = '', point = '', reason = '') =>
      decision(look, (each) => isDenied(each) && isOf(who, point)(each) && each.reason === reason),
  },
  {
    phrase: '{card} is denied at {point} because {reason} and also {reasons}',
    means: 'the same, and exactly these failed beside it, in the order of their rank',
    run: (look, who = '', point = '', reason = '', also = '') =>
      decision(
        look,
        (each) => isDenied(each) && isOf(who, point)(each) && each.reason === reason && areSame(each.alsoFailed, also),
      ),
  },
  {
    phrase: '{card} has to wait at {point} because {reason}',
    means: 'the decision is pending until somebody does what is missing',
    run: (look, who = '', point = '', reason = '') =>
      decision(look, (each) => isPending(each) && isOf(who, point)(each) && each.reason === reason),
  },
  {
    phrase: '{card} waits for the host at {point}',
    means: 'all checks of the gateway hold, and a system outside is asked',
    run: (look, who = '', point = '') =>
      decision(look, (each) => each.name === 'access.host_pending' && isOf(who, point)(each)),
  },
  {
    phrase: 'nobody is granted',
    means: '',
    run: (look) => {
      if (look.decisions.some(isGranted)) throw new Mismatch('somebody was');
    },
  },
];

/** `door.forced at front`, `access.denied of ann at front-in because expired with key=value key=value`. */
function eventOf(text: string): (record: EventRecord) => boolean {
  const [, name = '', of, at, because, details] =
    /^([a-z_.]+)(?: of (\S+))?(?: at (\S+))?(?: because (\S+))?(?: with (.+))?$/.exec(text) ?? [];
  if (!isEventName(name)) throw new Error(`there is no event ${name}`);
  const wanted = (details ?? '').split(/ (?=\w+=)/).filter((detail) => detail !== '');
  return (record) =>
    record.name === name &&
    (of === undefined || [record.credentialId, record.holderId].includes(of)) &&
    (at === undefined || [record.accessPointId, record.doorId, record.deviceId].includes(at)) &&
    (because === undefined || record.reason === because) &&
    wanted.every((each) => {
      const [key = '', value] = each.split('=');
      return record.detail?.[key] === value;
    });
}

const EVENTS_SEEN: readonly Check[] = [
  {
    phrase: 'event {event}',
    means:
      'it was recorded: `event door.held at front`, with ` of CREDENTIAL-OR-HOLDER`, ` at DOOR-OR-POINT-OR-DEVICE`, ` because REASON` and ` with KEY=VALUE KEY=VALUE` where they matter, in this order',
    run: (look, text = '') => {
      if (look.name(look.events, eventOf(text)) === undefined) throw new Mismatch('it was not recorded');
    },
  },
  {
    phrase: '{count} times event {event}',
    means: 'exactly so often',
    run: (look, count = '', text = '') => {
      const seen = look.events.filter(eventOf(text)).length;
      for (let at = 0; at < seen; at++) look.name(look.events, eventOf(text));
      if (seen !== Number(count)) throw new Mismatch(`it was recorded ${seen} times`);
    },
  },
  {
    phrase: 'no event {event}',
    means: '',
    run: (look, text = '') => {
      if (look.events.some(eventOf(text))) throw new Mismatch('it was recorded');
    },
  },
  {
    phrase: 'event {event}, then {event}',
    means: 'both, in this order',
    run: (look, first = '', second = '') => {
      const at = look.events.findIndex(eventOf(first));
      const after = look.events.slice(at + 1);
      if (at < 0 || !after.some(eventOf(second))) throw new Mismatch('they were not recorded in this order');
      look.name(look.events, eventOf(first));
      look.name(after, eventOf(second));
    },
  },
];

const ORDERS: readonly Check[] = [
  {
    phrase: 'the order is {outcome}',
    means: '`obeyed` or `refused`',
    run: (look, outcome = '') => {
      const found = look.takeOrder((order) => order.outcome === outcome);
      if (found !== undefined) return;
      throw new Mismatch(
        look.orders.map((order) => `${order.order} was ${order.outcome ?? 'not answered'}`).join(', '),
      );
    },
  },
];

const LOG: readonly Check[] = [
  {
    phrase: 'an error is logged: {text}',
    means: 'in the log of the gateway, for whoever repairs it',
    run: (look, text = '') => {
      if (look.name(look.errors, ({ message }) => message === text) === undefined) throw new Mismatch('it was not');
    },
  },
];

const lockOf = (look: Look, doorId: string): string => (look.world.isReleased(doorId) ? 'released' : 'secured');

/** As the bus in memory names it. */
const portKey = ({ device, number }: Port): string => `${device}#${number}`;

function doorShown(look: Look, doorId: string) {
  const door = look.world.doors().find(({ id }) => id === doorId);
  if (door === undefined) throw new Mismatch('the gateway knows no such door');
  return door;
}

const mode = (look: Look, door: string): string => doorShown(look, door).mode;

function is(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Mismatch(`it is ${String(actual)}`);
}

const DOORS: readonly Check[] = [
  {
    phrase: '{door} is released',
    means: 'whoever pulls opens it: its lock is without power, or with power, as its type says',
    run: (look, door = '') => is(lockOf(look, door), 'released'),
  },
  { phrase: '{door} is secured', means: 'it holds', run: (look, door = '') => is(lockOf(look, door), 'secured') },
  {
    phrase: '{door} is never released',
    means: 'not for an instant since `when`',
    run: (look, door = '') => {
      const { lock } = look.world.site.door(door);
      const isRelease = lock.type === 'failSecure';
      const output = portKey(look.world.site.output(lock.output));
      const movements = look.world.bus.movements.filter(({ atMs }) => atMs >= look.before.atMs);
      if (look.world.isReleased(door)) throw new Mismatch('it is released');
      if (movements.some((each) => each.output === output && each.energised === isRelease))
        throw new Mismatch('it was released');
    },
  },
  {
    phrase: '{door} is {mode}',
    means: 'the mode of ONVIF that the gateway shows, or `released` for one passage',
    run: (look, door = '', expected = '') => is(mode(look, door), expected),
  },
  {
    phrase: '{door} goes from {mode} to {mode}',
    means: 'its mode before and after',
    run: (look, door = '', from = '', to = '') => {
      is(look.before.modes.get(door), from);
      is(mode(look, door), to);
    },
  },
  {
    phrase: '{door} stays {mode}',
    means: 'its mode was, and is, that one',
    run: (look, door = '', expected = '') => {
      is(look.before.modes.get(door), expected);
      is(mode(look, door), expected);
    },
  },
  {
    phrase: '{door} has alarm {alarm}',
    means: '`none`, `forced`, `heldWarning` or `held`',
    run: (look, door = '', alarm = '') => is(doorShown(look, door).alarm, alarm),
  },
  {
    phrase: 'output {output} is {state}',
    means: '`on` or `off`',
    run: (look, output = '', state = '') => is(look.world.isEnergised(output) ? 'on' : 'off', state),
  },
];

const READERS: readonly Check[] = [
  {
    phrase: '{point} shows {indication}',
    means: 'what its reader was told last',
    run: (look, point = '', indication = '') => {
      const reader = portKey(look.world.site.readerAt(point));
      is(look.world.bus.indications.findLast((each) => each.reader === reader)?.indication, indication);
    },
  },
  {
    phrase: '{point} showed {indication} within {duration}',
    means: 'after the first thing that happened',
    run: (look, point = '', indication = '', within = '') => {
      const reader = portKey(look.world.site.readerAt(point));
      const untilMs = look.before.atMs + durationMs(within);
      const seen = look.world.bus.indications.filter(
        (each) => each.reader === reader && each.atMs >= look.before.atMs && each.atMs <= untilMs,
      );
      if (!seen.some((each) => each.indication === indication))
        throw new Mismatch(`it showed ${seen.map((each) => each.indication).join(', ') || 'nothing'}`);
    },
  },
];

/** What may be looked for. */
export const CHECKS = new Vocabulary<Look>([...DECISIONS, ...EVENTS_SEEN, ...ORDERS, ...LOG, ...READERS, ...DOORS]);
