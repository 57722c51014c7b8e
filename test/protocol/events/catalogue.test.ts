import t from 'tap';
import {
  EVENT_GROUPS,
  EVENTS,
  ONVIF_DENIAL_OF,
  ONVIF_DENIALS,
  ONVIF_TOPICS,
  REASONS,
  type EventDescription,
  type EventDraft,
  type EventRecord,
} from '@sparc/protocol/events';
import { eventFaults } from '../../support/event-faults.js';

const events = Object.entries<EventDescription>(EVENTS);

t.test('an event is in one group of the catalogue', async (t) => {
  const names = Object.values<object>(EVENT_GROUPS).flatMap((group) => Object.keys(group));
  t.same(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
  t.same(names.toSorted(), Object.keys(EVENTS).toSorted());
});

t.test('no two events mean the same, and each meaning is a sentence', async (t) => {
  const meanings = events.map(([, { meaning }]) => meaning);
  t.equal(new Set(meanings).size, events.length);
  t.same(
    meanings.filter((meaning) => !/^[A-Z].*\.$/.test(meaning)),
    [],
  );
});

t.test('a field is named once, as always there or as sometimes there', async (t) => {
  for (const [name, { fields = [], detail = {} }] of events) {
    for (const marks of [fields, Object.keys(detail)]) {
      t.equal(new Set(marks.map((mark) => mark.replace('?', ''))).size, marks.length, name);
    }
  }
});

t.test('an event whose topic has states says which, unless its detail does', async (t) => {
  const silent = events.filter(([, { topic, value }]) => {
    const states: readonly string[] = topic === undefined ? [] : ONVIF_TOPICS[topic];
    return value === undefined ? states.length > 0 : !states.includes(value);
  });
  t.same(
    silent.map(([name]) => name),
    ['door.mode_changed'],
  );
});

t.test('every ONVIF topic of the list, and every state of an alarm, is reached by an event', async (t) => {
  for (const topic of Object.keys(ONVIF_TOPICS))
    t.ok(
      events.some(([, event]) => event.topic === topic),
      topic,
    );
  for (const topic of ['Door/State/DoorAlarm', 'Door/State/DoorFault', 'Door/State/DoorTamper'] as const) {
    const reached = events.flatMap(([, event]) => (event.topic === topic ? [event.value] : []));
    t.same(new Set(reached), new Set(ONVIF_TOPICS[topic]), topic);
  }
});

t.test('every reason of a denial has a word of ONVIF, and every such word a reason', async (t) => {
  t.same(Object.keys(ONVIF_DENIAL_OF).toSorted(), REASONS.toSorted());
  t.same(new Set(Object.values(ONVIF_DENIAL_OF)), new Set(ONVIF_DENIALS));
});

/** Whether a record of this type may be written. */
type IsWritable<T> = T extends EventDraft ? true : false;

t.test('a record is written only with what the catalogue says it has', async (t) => {
  // These compile only if the types tell a complete record from one that lacks something.
  const isWritable: [
    IsWritable<{ name: 'door.ordered'; doorId: string; detail: { by: string; mode: string } }>,
    IsWritable<{ name: 'door.ordered'; doorId: string; detail: { by: string } }>,
    IsWritable<{ name: 'door.ordered'; doorId: string }>,
    IsWritable<{ name: 'door.ordered'; detail: { by: string; mode: string } }>,
    IsWritable<{ name: 'door.unheard_of'; doorId: string }>,
    IsWritable<{ name: 'commissioning.refused'; code: string }>,
    IsWritable<{ name: 'commissioning.refused'; code: string; detail: { operator: string } }>,
  ] = [true, false, false, false, false, true, true];
  t.equal(isWritable.length, 7);
});

t.test('what the types cannot see shows in a record: what is missing, and what nothing describes', async (t) => {
  const opened: EventRecord = { name: 'door.opened', doorId: 'front' };
  const id = { author: 'ab'.repeat(32), epoch: 1, sequence: 1 };
  t.same(eventFaults({ ...opened, causeId: id, detail: { lateMs: '5' } }), []);
  t.same(eventFaults({ ...opened, busId: 'bus-1' }), ['door.opened: busId is not in the catalogue']);
  t.same(eventFaults({ name: 'door.opened' }), ['door.opened: doorId is missing']);
  t.same(eventFaults({ name: 'site.lockdown', detail: { raise: 'ab', who: 'Ada' } }), [
    'site.lockdown: detail.by is missing',
    'site.lockdown: detail.who is not in the catalogue',
  ]);
});
