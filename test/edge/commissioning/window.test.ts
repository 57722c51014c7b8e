import t from 'tap';
import { CommissioningWindow, GUESSES_MAX } from '@sparc/edge/commissioning';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';

function scene() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const window = new CommissioningWindow(
    { clock, random: new SeededRandom('window') },
    {
      onEnd: ({ operator }, why) => told.push(`${operator}: ${why}`),
      onRefused: ({ operator }) => told.push(`${operator}: refused`),
    },
  );
  const codeOf = (code: string | undefined) => {
    try {
      window.assertCode(code);
      return 'taken';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return { clock, told, window, codeOf };
}

t.test('the code of a window is taken until the window ends by itself', async (t) => {
  const { clock, told, window, codeOf } = scene();
  t.equal(codeOf('ABCDEFGH'), 'ERR_COMMISSIONING_WINDOW_CLOSED');
  const code = window.open('Ada', 30);
  t.match(code, /^[2-9A-HJ-NP-Z]{8}$/);
  t.equal(codeOf(code), 'taken');
  t.equal(codeOf(`${code.slice(0, 4).toLowerCase()}-${code.slice(4)}`), 'taken', 'as people type it');
  await clock.advance(30 * 60_000 - 1);
  t.equal(codeOf(code), 'taken');
  await clock.advance(1);
  t.equal(codeOf(code), 'ERR_COMMISSIONING_WINDOW_CLOSED');
  t.strictSame(told, ['Ada: expired']);
});

t.test('each window has a code of its own, and only one is open', async (t) => {
  const { told, window, codeOf } = scene();
  const first = window.open('Ada', 30);
  t.throws(() => window.open('Bob', 30), { code: 'ERR_COMMISSIONING_WINDOW_OPEN', message: /Ada/ });
  window.close('closed');
  window.close('closed');
  const second = window.open('Bob', 30);
  t.not(second, first);
  t.equal(codeOf(first), 'ERR_COMMISSIONING_CODE_REFUSED');
  t.equal(codeOf(second), 'taken');
  t.strictSame(told, ['Ada: closed', 'Bob: refused']);
});

t.test('guessing is held off for a minute, the right code with it', async (t) => {
  const { clock, told, window, codeOf } = scene();
  const code = window.open('Ada', 30);
  for (let guess = 0; guess < GUESSES_MAX; guess++) t.equal(codeOf('22222222'), 'ERR_COMMISSIONING_CODE_REFUSED');
  t.equal(codeOf('22222222'), 'ERR_COMMISSIONING_GUESSES_MAX');
  t.equal(codeOf(code), 'ERR_COMMISSIONING_GUESSES_MAX');
  t.equal(told.length, GUESSES_MAX, 'what is held off is not told of');
  await clock.advance(60_000);
  t.equal(codeOf(code), 'taken');
});

t.test('a request without a code is no guess: a page elsewhere can make a browser send it', async (t) => {
  const { told, window, codeOf } = scene();
  const code = window.open('Ada', 30);
  for (let sent = 0; sent < 2 * GUESSES_MAX; sent++) t.equal(codeOf(undefined), 'ERR_COMMISSIONING_CODE_REFUSED');
  t.equal(codeOf(code), 'taken');
  t.strictSame(told, []);
});
