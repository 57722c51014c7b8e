import type { ErrorCode } from '@sparc/protocol/errors';
import type { InputState } from '@sparc/protocol/ports';
import type { OrderedMode } from '@sparc/edge/site-mode';
import type { Static } from '@sinclair/typebox';
import { durationMs, instantOf } from './local-time.js';
import { Vocabulary, type Sentence } from './vocabulary.js';
import { cardOf, formattedCard, misread, rawCard } from './cards.js';
import { HOST_ANSWERS, type HostAnswer } from './scenario-host.js';
import type { ScenarioWorld } from './world.js';

type Mode = Static<typeof OrderedMode>;
type Act = Sentence<ScenarioWorld>;

const CARDS: readonly Act[] = [
  {
    phrase: '{card} at {point}',
    means: 'somebody presents the card of this credential at the reader of an access point',
    run: (world, card = '', point = '') => world.present(cardOf(world.site.credential(card)), point),
  },
  {
    phrase: '{card} at device {device}',
    means: 'at a reader that may belong to no access point',
    run: (world, card = '', device = '') => world.bus.card(device, cardOf(world.site.credential(card))),
  },
  {
    phrase: '{card} at {point}, read {duration} ago',
    means: 'the same of a reader that held the card back',
    run: (world, card = '', point = '', age = '') =>
      world.present(cardOf(world.site.credential(card)), point, durationMs(age)),
  },
  {
    phrase: '{card} at {point}, misread',
    means: 'one bit is wrong',
    run: (world, card = '', point = '') => world.present(misread(cardOf(world.site.credential(card))), point),
  },
  {
    phrase: 'a {format} card {facility}:{number} at {point}',
    means: 'a card by what is printed on it',
    run: (world, format = '', facility = '', number = '', point = '') =>
      world.present(formattedCard(format, Number(facility), number), point),
  },
  {
    phrase: 'a {format} card {facility}:{number} of issue {issue} at {point}',
    means: 'the same, of a format that counts issues',
    run: (world, format = '', facility = '', number = '', issue = '', point = '') =>
      world.present(formattedCard(format, Number(facility), number, Number(issue)), point),
  },
  {
    phrase: '{count} bits {hex} at {point}',
    means: 'what a reader sends, whatever it is',
    run: (world, count = '', hex = '', point = '') => world.present(rawCard(Number(count), hex), point),
  },
  {
    phrase: '{keys} is typed at {point}',
    means: 'digits, `#` to enter, `*` to begin again; in quotes, because `#` begins a comment in YAML',
    run: (world, keys = '', point = '') => world.type(keys, point),
  },
];

const DOORS: readonly Act[] = [
  {
    phrase: '{door} opens',
    means: 'its contact says so',
    run: (world, door = '') => world.input(world.site.contactOf(door), 'active'),
  },
  {
    phrase: '{door} closes',
    means: 'its contact says so',
    run: (world, door = '') => world.input(world.site.contactOf(door), 'inactive'),
  },
  {
    phrase: 'the contact of {door} reports {state}',
    means: 'a fault of its wiring: `short`, `open` or `fault`',
    run: (world, door = '', state = '') => world.input(world.site.contactOf(door), state as InputState),
  },
  {
    phrase: 'the exit button of {door} is pressed',
    means: 'and stays pressed until it is released',
    run: (world, door = '') => world.input(world.site.exitButtonOf(door), 'active'),
  },
  {
    phrase: 'the exit button of {door} is released',
    means: '',
    run: (world, door = '') => world.input(world.site.exitButtonOf(door), 'inactive'),
  },
  {
    phrase: 'the exit button of {door} reports {state}',
    means: 'a fault of its wiring: `short`, `open` or `fault`',
    run: (world, door = '', state = '') => world.input(world.site.exitButtonOf(door), state as InputState),
  },
  {
    phrase: 'input {input} becomes {state}',
    means: '`active` or `inactive` in the sense of its use, or a fault',
    run: (world, id = '', state = '') => world.input(id, state as InputState),
  },
];

const ORDERS: readonly Act[] = [
  {
    phrase: '{operator} orders lockdown',
    means: 'a named person orders something of the gateway; so do all below',
    run: (world, by = '') => world.order({ kind: 'lockdown' }, by),
  },
  {
    phrase: '{operator} ends the lockdown',
    means: '',
    run: (world, by = '') => world.order({ kind: 'endLockdown' }, by),
  },
  {
    phrase: '{operator} sets threat level {level}',
    means: '',
    run: (world, by = '', level = '') => world.order({ kind: 'threatLevel', level: Number(level) }, by),
  },
  {
    phrase: '{operator} calls an evacuation',
    means: '',
    run: (world, by = '') => world.order({ kind: 'evacuate' }, by),
  },
  { phrase: '{operator} ends the fire', means: '', run: (world, by = '') => world.order({ kind: 'endFire' }, by) },
  {
    phrase: '{operator} orders {door} {mode}',
    means: 'one of the modes of ONVIF, until another order',
    run: (world, by = '', door = '', mode = '') => world.order({ kind: 'door', door, mode: mode as Mode }, by),
  },
  {
    phrase: '{operator} gives {door} back to its schedule',
    means: 'ends an order for a door',
    run: (world, by = '', door = '') => world.order({ kind: 'releaseDoor', door }, by),
  },
  {
    phrase: '{operator} opens {door} once',
    means: 'ONVIF AccessDoor: one passage',
    run: (world, by = '', door = '') => world.order({ kind: 'accessDoor', door }, by),
  },
  {
    phrase: '{operator} opens {door} once with extended time',
    means: '',
    run: (world, by = '', door = '') => world.order({ kind: 'accessDoor', door, extended: true }, by),
  },
  {
    phrase: '{operator} acknowledges {door}',
    means: '',
    run: (world, by = '', door = '') => world.order({ kind: 'acknowledge', door }, by),
  },
  {
    phrase: '{operator} orders {door} {mode} for {duration}',
    means: '',
    run: (world, by = '', door = '', mode = '', text = '') =>
      world.order({ kind: 'door', door, mode: mode as Mode, forMs: durationMs(text) }, by),
  },
  {
    phrase: '{operator} revokes credential {credential}',
    means: 'for good, whatever any policy says',
    run: (world, by = '', id = '') => world.order({ kind: 'revoke', subject: 'credential', id }, by),
  },
  {
    phrase: '{operator} revokes holder {holder}',
    means: 'with every card of theirs',
    run: (world, by = '', id = '') => world.order({ kind: 'revoke', subject: 'holder', id }, by),
  },
  {
    phrase: '{operator} resets the uses of {credential}',
    means: '',
    run: (world, by = '', credential = '') => world.order({ kind: 'resetUses', credential }, by),
  },
  {
    phrase: '{operator} accepts the clock',
    means: 'says that the wall clock of the machine is right',
    run: (world, by = '') => world.order({ kind: 'acceptClock' }, by),
  },
  {
    phrase: '{operator} forgives {holder}',
    means: 'anti-passback begins anew',
    run: (world, by = '', holder = '') => world.order({ kind: 'forgive', holder }, by),
  },
];

const TIME: readonly Act[] = [
  { phrase: '{duration} pass', means: '', run: (world, text = '') => world.clock.advance(durationMs(text)) },
  {
    phrase: 'it becomes {time}',
    means: 'time passes until then',
    run: (world, time = '') => world.waitUntil(time),
  },
  {
    phrase: 'the clock is set forward by {duration}',
    means: 'wall time steps; nothing else moves',
    run: (world, text = '') => world.clock.stepWall(durationMs(text)),
  },
  {
    phrase: 'the clock is set back by {duration}',
    means: '',
    run: (world, text = '') => world.clock.stepWall(-durationMs(text)),
  },
  {
    phrase: 'the time source goes away',
    means: 'nobody confirms the clock of the machine any more',
    run: (world) => world.machine.timeSource(false),
  },
  { phrase: 'the time source answers', means: '', run: (world) => world.machine.timeSource(true) },
];

const MACHINERY: readonly Act[] = [
  { phrase: 'the gateway restarts', means: 'its process; takes a second', run: (world) => world.restart() },
  {
    phrase: 'the machine restarts',
    means: 'with the time of its hardware clock',
    run: (world) => world.restart(() => world.machine.restart()),
  },
  {
    phrase: 'the machine restarts with its clock at {time}',
    means: 'its hardware clock has no battery',
    run: (world, time = '') => world.restart(() => world.machine.restart(instantOf(time, world.site.timeZone))),
  },
  {
    phrase: 'the policy is lost',
    means: 'no generation is readable; the signed emergency file is',
    run: (world) => world.usePolicy(world.site.withoutPolicy(world.clock)),
  },
  { phrase: 'all policy is lost', means: 'the emergency file too', run: (world) => world.usePolicy({ kind: 'none' }) },
  {
    phrase: 'the policy store breaks',
    means: 'each look-up fails from now on',
    run: (world) => world.site.view.close(),
  },
  { phrase: 'the disk hangs', means: 'nothing becomes durable', run: (world) => void (world.journal.hanging = true) },
  {
    phrase: 'the disk fails',
    means: 'every append is refused',
    run: (world) => void (world.journal.failure = 'ERR_LEDGER_WRITE_FAILED' satisfies ErrorCode),
  },
  {
    phrase: 'the disk works again',
    means: '',
    run: (world) => {
      world.journal.failure = undefined;
      world.journal.release();
    },
  },
  {
    phrase: 'the disk needs {duration}',
    means: 'for each flush',
    run: (world, text = '') => void (world.journal.flushMs = durationMs(text)),
  },
  {
    phrase: '{device} goes away',
    means: 'the device does not answer any more',
    run: (world, device = '') => world.disconnect(device),
  },
  { phrase: '{device} comes back', means: '', run: (world, device = '') => world.connect(device) },
  {
    phrase: '{device} loses power',
    means: 'its outputs fall, and it does not answer',
    run: (world, device = '') => world.powerOff(device),
  },
  {
    phrase: '{device} is tampered with',
    means: 'the device says so',
    run: (world, device = '') => world.bus.status(device, { tampered: true }),
  },
  {
    phrase: '{device} talks in clear',
    means: 'Secure Channel is gone',
    run: (world, device = '') => world.bus.alarm(device, 'ERR_OSDP_SECURE_LOST'),
  },
  {
    phrase: 'locks do not answer',
    means: 'commands are heard and not acknowledged',
    run: (world) => void (world.bus.commandsAre = 'unanswered'),
  },
  {
    phrase: 'locks hear nothing',
    means: 'commands are on their way for ever',
    run: (world) => void (world.bus.commandsAre = 'forgotten'),
  },
  {
    phrase: 'locks refuse',
    means: 'commands are certainly not executed',
    run: (world) => void (world.bus.commandsAre = 'refused'),
  },
  {
    phrase: 'locks obey again',
    means: 'as they did before any of these',
    run: (world) => void (world.bus.commandsAre = 'acknowledged'),
  },
];

const HOST: readonly Act[] = HOST_ANSWERS.map((answer: HostAnswer) => ({
  phrase: `the host ${answer}`,
  means: 'from now on; without it, it allows',
  run: (world) => void (world.host.answer = answer),
}));

/** What may happen. */
export const ACTS = new Vocabulary<ScenarioWorld>([...ORDERS, ...DOORS, ...TIME, ...MACHINERY, ...HOST, ...CARDS]);
