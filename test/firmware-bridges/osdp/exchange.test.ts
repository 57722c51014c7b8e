import t from 'tap';
import type { SparcError } from '@sparc/protocol/errors';
import type { ExchangeRequest } from '@sparc/firmware-bridges/osdp';
import { BusWorld, keyOf } from './bus-world.js';
import { ScriptedPd } from './scripted-pd.js';

const ID = { name: 'ID', type: 0 } as const;
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: SparcError) => error.code,
  );

t.test('one exchange with a PD that is in no plan ends in its reply, silence or rubbish', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.add('stranger', 5, null);
  world.add('twin', 7, null, { serial: 1 });
  world.add('other twin', 7, null, { serial: 2 });
  world.start();
  await world.online('pd-0');
  const at = (address: number) => world.settle(world.bus.exchange({ address, baudRate: 9_600, command: ID }));
  t.match(await at(5), { kind: 'reply', disturbed: false, reply: { name: 'PDID', serial: 5 }, frame: { sequence: 0 } });
  t.same(await at(6), { kind: 'silent' });
  t.same(await at(7), { kind: 'garbled' }, 'two answer at once');
  await world.field.stop();
});

t.test('at another rate too, while the devices of the plan keep their sessions and are polled between', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }, { address: 2 }, { address: 3 }]);
  world.add('stranger', 0, null, { baudRate: 115_200, serial: 77 });
  world.start();
  await world.online('pd-0', 'pd-1', 'pd-2', 'pd-3');
  await world.clock.advance(3_000);
  const polls = () => ['pd-0', 'pd-1', 'pd-2', 'pd-3'].map((id) => world.health(id)?.pollCount ?? 0);
  const before = polls();
  const beganAtMs = world.clock.monotonicMs();
  for (let trial = 0; trial < 30; trial++) {
    const address = trial % 2 === 0 ? 0 : 9;
    const result = await world.settle(world.bus.exchange({ address, baudRate: 115_200, command: ID }));
    t.match(result, address === 0 ? { kind: 'reply', reply: { serial: 77 } } : { kind: 'silent' });
  }
  const seconds = (world.clock.monotonicMs() - beganAtMs) / 1_000;
  t.equal(world.link.baudRate, 115_200, 'it goes back when somebody else has a turn');
  await world.clock.advance(100);
  t.equal(world.link.baudRate, 9_600);
  for (const [index, count] of polls().entries()) {
    t.ok(
      count - (before[index] ?? 0) >= seconds,
      `polled at least once a second: ${count - (before[index] ?? 0)} times in ${seconds} s`,
    );
    t.match(world.health(`pd-${index}`), { timeoutCount: 0, badCheckCount: 0, sessionRestartCount: 0 });
  }
  t.same(world.witness.alarms, []);
  await world.field.stop();
});

t.test('two PDs at one address are heard by whoever listens on', async (t) => {
  const world = new BusWorld([]);
  const scripted = new ScriptedPd(world.line, 4);
  scripted.answers = 2;
  world.start();
  await world.clock.advance(100);
  const request: ExchangeRequest = { address: 4, baudRate: 9_600, command: ID, timeoutMs: 100 };
  t.match(await world.settle(world.bus.exchange(request)), { kind: 'reply', disturbed: false });
  await world.clock.advance(100);
  t.match(await world.settle(world.bus.exchange({ ...request, listensOn: true })), { kind: 'reply', disturbed: true });
  await world.field.stop();
});

t.test('an exchange that would end a session, or cannot be had, is refused before anything is sent', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.start();
  const request: ExchangeRequest = { address: 0, baudRate: 9_600, command: ID };
  t.equal(await codeOf(world.bus.exchange(request)), 'ERR_OSDP_LINE_DOWN', 'the line is not open yet');
  await world.online('pd-0');
  t.equal(await codeOf(world.bus.exchange(request)), 'ERR_BUS_ADDRESS_TAKEN');
  const keyset = { name: 'KEYSET', keyType: 1, key: keyOf(9) } as const;
  t.equal(
    await codeOf(world.bus.exchange({ ...request, address: 9, command: keyset })),
    'ERR_OSDP_COMMAND_REFUSED',
    'it would be readable for everybody',
  );
  t.equal(await codeOf(world.bus.exchange({ ...request, address: 0x7f })), 'ERR_BUS_ADDRESS_TAKEN');
  const many = Array.from({ length: 40 }, () => codeOf(world.bus.exchange({ ...request, address: 9 })));
  t.ok((await world.settle(Promise.all(many))).includes('ERR_OSDP_QUEUE_FULL'));
  const waiting = [1, 2].map(() => codeOf(world.bus.exchange({ ...request, address: 9 })));
  await world.clock.advance(80);
  world.link.unplug();
  t.same(await world.settle(Promise.all(waiting)), ['ERR_OSDP_LINE_DOWN', 'ERR_OSDP_LINE_DOWN']);
  t.equal(world.health('pd-0')?.sessionStartCount, 1);
  await world.field.stop();
});

t.test('an exchange waits no longer than a round of the devices, however busy they are', async (t) => {
  const world = new BusWorld(Array.from({ length: 8 }, (_, address) => ({ address, scbk: keyOf(address) })));
  world.start();
  await world.online(...Array.from({ length: 8 }, (_, index) => `pd-${index}`));
  const beganAtMs = world.clock.monotonicMs();
  await world.settle(world.bus.exchange({ address: 20, baudRate: 9_600, command: ID }));
  const tookMs = world.clock.monotonicMs() - beganAtMs;
  t.ok(tookMs < 8 * 60 + 300, `${tookMs.toFixed(0)} ms`);
  await world.field.stop();
});
