import { existsSync, statSync } from 'node:fs';
import t from 'tap';
import { TASKS_ENDED_MAX, type OperationPlan } from '@sparc/edge/commissioning';
import { SparcError } from '@sparc/protocol/errors';
import { eventually } from '../../support/peers.js';
import { commissioningScene } from './commissioning-scene.js';

/** Runs until it is told to end. */
function endless(): OperationPlan {
  return {
    place: { bus: 'bus-a', device: 'front' },
    work: (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('off')))),
  };
}

const IDENTIFY = { kind: 'run', operation: { kind: 'identify', device: 'front' } } as const;
const DISCOVER = { kind: 'run', operation: { kind: 'discover', bus: 'bus-a' } } as const;

t.test('whoever can read the data directory opens a window, and its code allows operations', async (t) => {
  const { commissioning, events, path, ask, open, localApi } = await commissioningScene(t, () => ({
    place: { device: 'front' },
    work: async (_signal, report) => report({ step: 'blinks' }),
  }));
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(ask(IDENTIFY, localApi().token), 'ERR_COMMISSIONING_WINDOW_CLOSED');
  const code = open();
  t.equal(ask(IDENTIFY, localApi().token), 'ERR_COMMISSIONING_CODE_REFUSED', 'the token is no code');
  t.match(ask(IDENTIFY, code), { kind: 'started' });
  await eventually('it is done', () => commissioning.view().tasks[0]?.state === 'done');
  t.match(commissioning.view(), {
    window: { operator: 'Ada' },
    tasks: [{ kind: 'identify', step: 'blinks', progress: 1 }],
  });
  t.strictSame(ask({ kind: 'close' }, code), { kind: 'closed' });
  t.equal(commissioning.view().window, undefined);
  t.strictSame(
    events.map(({ name, detail }) => [name, detail?.operator]),
    [
      ['commissioning.opened', 'Ada'],
      ['commissioning.refused', 'Ada'],
      ['commissioning.started', 'Ada'],
      ['commissioning.ended', 'Ada'],
      ['commissioning.closed', 'Ada'],
    ],
  );
  t.match(events[2], { deviceId: 'front', detail: { kind: 'identify', what: 'device front' } });
  t.match(events[3], { deviceId: 'front', detail: { kind: 'identify', state: 'done' } });
});

t.test('a wrong token opens nothing, is recorded, and guessing it is held off', async (t) => {
  const { events, ask } = await commissioningScene(t, endless);
  const opening = { kind: 'open', window: { operator: 'Eve', minutes: 1 } };
  t.equal(ask(opening), 'ERR_COMMISSIONING_TOKEN_REFUSED');
  t.strictSame(events, []);
  for (let guess = 0; guess < 5; guess++) t.equal(ask(opening, 'guess'), 'ERR_COMMISSIONING_TOKEN_REFUSED');
  t.equal(ask(opening, 'guess'), 'ERR_COMMISSIONING_GUESSES_MAX');
  t.equal(events.length, 5);
  t.equal(ask({ kind: 'close' }, 'guess'), 'ERR_COMMISSIONING_WINDOW_CLOSED');
});

t.test('what the site process sends is checked again', async (t) => {
  const { ask, open } = await commissioningScene(t, endless);
  const code = open();
  const wrong = [
    undefined,
    {},
    { kind: 'unlock' },
    { kind: 'open', window: { operator: 'Ada', minutes: 241 } },
    { kind: 'open', window: { operator: '', minutes: 1 } },
    { kind: 'run', operation: { kind: 'setKey', device: 'front', key: '00' } },
    { kind: 'run', operation: { kind: 'setAddress', bus: 'b', address: 127, baudRate: 9600, newAddress: 1 } },
  ];
  for (const action of wrong) t.equal(ask(action, code), 'ERR_API_REQUEST_INVALID', JSON.stringify(action));
});

t.test('tasks end with their window, with their gateway, or by name, and say so', async (t) => {
  const { clock, commissioning, ask, open, events } = await commissioningScene(t, endless);
  const ended = async () => {
    await eventually('it ends', () => commissioning.view().tasks[0]?.state === 'cancelled');
    return commissioning.view().tasks[0]?.error?.code;
  };
  ask(DISCOVER, open(1));
  await clock.advance(60_000);
  t.equal(await ended(), 'ERR_COMMISSIONING_WINDOW_CLOSED');
  const code = open();
  const started = ask(DISCOVER, code) as { task: string };
  t.equal(ask({ kind: 'run', operation: { kind: 'cancel', task: 'none' } }, code), 'ERR_COMMISSIONING_TASK_UNKNOWN');
  t.match(ask({ kind: 'run', operation: { kind: 'cancel', task: started.task } }, code), started);
  t.equal(await ended(), 'ERR_COMMISSIONING_CANCELLED');
  ask(DISCOVER, code);
  await commissioning.stop();
  t.equal(await ended(), 'ERR_COMMISSIONING_CANCELLED');
  const endings = events.filter(({ name }) => name === 'commissioning.ended').map(({ code: why }) => why);
  t.strictSame(endings, [
    'ERR_COMMISSIONING_WINDOW_CLOSED',
    'ERR_COMMISSIONING_CANCELLED',
    'ERR_COMMISSIONING_CANCELLED',
  ]);
});

t.test('what would disturb a task that runs is refused by its name; what would not runs beside it', async (t) => {
  const { ask, open } = await commissioningScene(t, endless);
  const code = open();
  t.match(ask(DISCOVER, code), { kind: 'started' });
  t.equal(ask(DISCOVER, code), 'ERR_COMMISSIONING_BUSY');
  t.equal(ask({ kind: 'run', operation: { kind: 'setKey', device: 'front' } }, code), 'ERR_COMMISSIONING_BUSY');
  t.match(ask(IDENTIFY, code), { kind: 'started' });
  const capture = { kind: 'run', operation: { kind: 'capture', bus: 'bus-a', seconds: 5 } };
  t.match(ask(capture, code), { kind: 'started' });
  t.equal(ask(capture, code), 'ERR_COMMISSIONING_BUSY');
});

t.test('a bounded number of ended tasks is kept, the newest first, with why they failed', async (t) => {
  let count = 0;
  const { commissioning, ask, open } = await commissioningScene(t, () => ({
    place: { device: 'front' },
    work: async () => {
      count += 1;
      throw count === TASKS_ENDED_MAX + 3
        ? new SparcError('ERR_COMMISSIONING_DEVICE_UNKNOWN', 'the last')
        : new Error('a defect');
    },
  }));
  const code = open();
  for (let index = 0; index < TASKS_ENDED_MAX + 3; index++) {
    ask(IDENTIFY, code);
    await eventually('it ends', () => commissioning.view().tasks.every(({ state }) => state === 'failed'));
  }
  const { tasks } = commissioning.view();
  t.equal(tasks.length, TASKS_ENDED_MAX);
  t.strictSame(tasks[0]?.error, { code: 'ERR_COMMISSIONING_DEVICE_UNKNOWN', message: 'the last' });
  t.equal(tasks[1]?.error?.code, 'ERR_GATEWAY_INTERNAL');
});

t.test('the token goes with the gateway that made it', async (t) => {
  const { commissioning, localApi, path } = await commissioningScene(t, endless);
  commissioning.listening('http://127.0.0.1:8080');
  await eventually('the address is there', () => localApi().url === 'http://127.0.0.1:8080');
  await commissioning.stop();
  t.notOk(existsSync(path));
});
