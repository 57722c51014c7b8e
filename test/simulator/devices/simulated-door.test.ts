import { SimulatedDoor, SimulatedLock } from '@sparc/simulator/devices';
import { VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

function doorOf(type: 'failSecure' | 'failSafe' = 'failSecure') {
  const clock = new VirtualClock();
  const lock = new SimulatedLock('lock', type, clock);
  const door = new SimulatedDoor('door', lock, clock, { closerMs: 2_000, bounces: 2, bounceMs: 10 });
  const contact: { atMs: number; open: boolean }[] = [];
  door.onContact = (open) => contact.push({ atMs: clock.monotonicMs(), open });
  return { clock, lock, door, contact };
}

t.test('a locked leaf stays shut when it is pulled', async (t) => {
  const { door } = doorOf();
  t.equal(door.pull(), false);
  t.same(door.movements, []);
});

t.test('a strike that fails secure opens with power, a magnet that fails safe without it', async (t) => {
  const secure = doorOf('failSecure');
  const safe = doorOf('failSafe');
  t.same([secure.lock.released, safe.lock.released], [false, true]);
  secure.lock.setEnergised(true);
  safe.lock.setEnergised(true);
  t.same([secure.door.pull(), safe.door.pull()], [true, false]);
});

t.test('the closer shuts the leaf, the lock having relocked meanwhile or not', async (t) => {
  const { clock, lock, door } = doorOf();
  lock.setEnergised(true);
  door.pull();
  lock.setEnergised(false);
  t.equal(door.pull(), true, 'an open leaf needs no lock');
  await clock.run(1_999);
  t.equal(door.open, true);
  await clock.run(2_000);
  t.equal(door.open, false);
  t.equal(door.pull(), false);
});

t.test('a held leaf stays open until it is let go', async (t) => {
  const { clock, door } = doorOf();
  door.force();
  door.hold();
  await clock.run(60_000);
  t.equal(door.open, true);
  door.letGo();
  await clock.run(62_000);
  t.equal(door.open, false);
  t.same(
    door.movements.map(({ by }) => by),
    ['force', 'closer'],
  );
});

t.test('the contact bounces and ends in the state of the leaf', async (t) => {
  const { clock, door, contact } = doorOf();
  door.force();
  await clock.run(1_000);
  t.same(contact, [
    { atMs: 0, open: true },
    { atMs: 10, open: false },
    { atMs: 20, open: true },
    { atMs: 30, open: false },
    { atMs: 40, open: true },
  ]);
  t.equal(door.contactOpen, true);
});

t.test('the exit button springs back', async (t) => {
  const { clock, door } = doorOf();
  const pressed: boolean[] = [];
  door.onExitButton = (down) => pressed.push(down);
  door.pressExitButton(500);
  await clock.run(400);
  door.pressExitButton(500);
  await clock.run(899);
  t.same(pressed, [true]);
  await clock.run(900);
  t.same(pressed, [true, false]);
});
