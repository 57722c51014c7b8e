import { SimulatedDoor, SimulatedLock } from '@sparc/simulator/devices';
import { Person } from '@sparc/simulator/people';
import { VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

const CARD = { bitCount: 26, bits: Uint8Array.of(1, 2, 3, 4) };

function placeOf(pin?: string) {
  const clock = new VirtualClock();
  const lock = new SimulatedLock('lock', 'failSecure', clock);
  const door = new SimulatedDoor('door', lock, clock);
  const done: string[] = [];
  const reader = {
    presentCard: () => done.push(`card@${clock.monotonicMs()}`),
    pressKeys: (keys: string) => done.push(`${keys}@${clock.monotonicMs()}`),
  };
  return { clock, lock, door, reader, done, person: new Person(clock, 'ada', CARD, pin) };
}

t.test('a person walks through when the lock lets go, and the door closes behind', async (t) => {
  const { clock, lock, door, reader, person } = placeOf();
  const entering = person.enter(reader, door);
  clock.setTimer(700, () => lock.setEnergised(true));
  clock.setTimer(1_700, () => lock.setEnergised(false));
  await clock.run(10_000);
  t.equal(await entering, true);
  t.same(person.passages, [{ personId: 'ada', doorId: 'door', atMs: 800, by: 'card' }]);
  t.equal(door.open, false);
});

t.test('a person gives up on a door that stays locked', async (t) => {
  const { clock, door, reader, person } = placeOf();
  const entering = person.enter(reader, door);
  await clock.run(10_000);
  t.equal(await entering, false);
  t.same(person.passages, []);
});

t.test('a PIN is typed key by key and ended with #', async (t) => {
  const { clock, door, reader, person, done } = placeOf('1234');
  const entering = person.enter(reader, door);
  await clock.run(20_000);
  await entering;
  t.same(done, ['card@0', '1@250', '2@500', '3@750', '4@1000', '#@1250']);
});

t.test('a person who leaves presses the button first', async (t) => {
  const { clock, lock, door, person } = placeOf();
  door.onExitButton = (pressed) => lock.setEnergised(pressed);
  const leaving = person.leave(door);
  await clock.run(10_000);
  t.equal(await leaving, true);
  t.equal(person.passages[0]?.by, 'exitButton');
});
