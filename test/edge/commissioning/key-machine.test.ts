import fc from 'fast-check';
import t from 'tap';
import {
  keysAtStart,
  keyStateOf,
  stepDeviceKey,
  type DeviceKeyEffect,
  type DeviceKeyInput,
  type DeviceKeyState,
  type HeldKeys,
} from '@sparc/edge/commissioning';
import { checkProperty } from '../../support/property.js';

const key = (fill: number) => new Uint8Array(16).fill(fill);
const [OLD, NEW, OTHER] = [key(1), key(2), key(3)];

function run(held: HeldKeys, inputs: readonly DeviceKeyInput[]) {
  let state: DeviceKeyState = keysAtStart(held);
  const effects: DeviceKeyEffect[] = [];
  for (const input of inputs) {
    const step = stepDeviceKey(state, input);
    ({ state } = step);
    effects.push(...step.effects);
  }
  return { state, effects: effects.map(({ kind }) => kind), keyState: keyStateOf(state) };
}

const begin = (path: 'session' | 'install', fresh = NEW): DeviceKeyInput => ({ kind: 'begin', path, fresh });
const proven = (scbk: Uint8Array): DeviceKeyInput => ({ kind: 'proven', scbk });

t.test(
  'a new key goes out only after both are on disk, and the old one goes only after the new one is proven',
  async (t) => {
    const begun = run({ current: OLD }, [begin('session')]);
    t.strictSame(begun.effects, ['hold']);
    const sent = run({ current: OLD }, [begin('session'), { kind: 'held' }, { kind: 'sent' }]);
    t.strictSame(sent.effects, ['hold', 'send']);
    t.strictSame(sent.state.held, { current: OLD, next: NEW });
    t.equal(sent.keyState, 'changing');
    const done = run({ current: OLD }, [begin('session'), { kind: 'held' }, { kind: 'sent' }, proven(NEW)]);
    t.strictSame(done.effects, ['hold', 'send', 'keep', 'changed']);
    t.strictSame(done.state.held, { current: NEW });
    t.equal(done.keyState, 'proven');
  },
);

t.test('a device that shows its old key has it, whatever became of KEYSET', async (t) => {
  const inputs: DeviceKeyInput[] = [
    begin('session'),
    { kind: 'held' },
    proven(OLD),
    { kind: 'sent', trouble: 'ERR_OSDP_NAK' },
  ];
  const before = run({ current: OLD }, inputs);
  t.strictSame(before.state.held, { current: OLD, next: NEW }, 'proof from before KEYSET proves nothing about it');
  t.strictSame(before.effects, ['hold', 'send', 'configure'], 'a refusal is looked into by a new session');
  const after = run({ current: OLD }, [...inputs, proven(OLD)]);
  t.strictSame(after.effects.slice(3), ['keep', 'unchanged']);
  t.strictSame(after.state.held, { current: OLD });
});

t.test('a device without a key is on the bus only while it is given one', async (t) => {
  const waiting = run({}, [begin('install'), { kind: 'held' }]);
  t.strictSame(waiting.effects, ['hold', 'configure']);
  t.equal(waiting.keyState, 'changing');
  t.equal(run({}, [begin('install')]).keyState, 'none', 'nothing was sent yet');
  const stopped = run({}, [begin('install'), { kind: 'held' }, { kind: 'stopped' }]);
  t.strictSame(stopped.effects, ['hold', 'configure', 'configure']);
  t.strictSame(stopped.state.held, { next: NEW }, 'the device may have it: KEYSET or its answer was lost');
  const again = run({ next: NEW }, [begin('install', OTHER), { kind: 'held' }, proven(NEW)]);
  t.strictSame(again.state.held, { current: NEW }, 'a key that waits for its proof is sent again, and no third one');
});

t.test('a key that cannot be stored is not sent', async (t) => {
  const failed = run({ current: OLD }, [begin('session'), { kind: 'holdFailed' }, { kind: 'held' }]);
  t.strictSame(failed.effects, ['hold', 'keep']);
  t.strictSame(failed.state.held, { current: OLD });
});

t.test('a device that refuses everything is lost until it shows a key that is held', async (t) => {
  const lost = run({ current: OLD, next: NEW }, [{ kind: 'refused' }, { kind: 'refused' }]);
  t.strictSame(lost.effects, ['lost']);
  t.equal(lost.keyState, 'lost');
  t.strictSame(lost.state.held, { current: OLD, next: NEW }, 'keys are kept: the refusal may be forged');
  t.equal(run({ current: OLD }, [{ kind: 'refused' }, proven(OLD)]).keyState, 'proven');
  const reset = run({ current: OLD }, [{ kind: 'refused' }, begin('install'), { kind: 'held' }, proven(NEW)]);
  t.equal(reset.keyState, 'proven');
  t.strictSame(reset.state.held, { current: NEW });
  t.strictSame(run({}, [{ kind: 'refused' }]).effects, [], 'without a key there is none to lose');
});

/** What can happen, from the outside; the model below says what the machine is told of it. */
const EVENTS = [
  'begin',
  'stored',
  'storeFails',
  'delivered',
  'lostAck',
  'lostFrame',
  'session',
  'stop',
  'crash',
  'reset',
] as const;

t.test('whatever is lost on the way, a key that is on disk opens a session with the device', async (t) => {
  const scenario = fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 });
  checkProperty(
    fc.property(scenario, fc.boolean(), (events, starts) => {
      const world = new World(starts);
      for (const [index, event] of events.entries()) {
        world.happens(event, index);
        if (!world.deviceIsHeld()) return false;
      }
      return true;
    }),
    2_000,
  );
  t.pass();
});

/** A device, a disk, and the keys between them. */
class World {
  #device: Uint8Array | undefined;
  #disk: HeldKeys;
  #state: DeviceKeyState;
  #isHolding = false;
  #toSend: Uint8Array | undefined;

  constructor(hasKey: boolean) {
    this.#device = hasKey ? OLD : undefined;
    this.#disk = hasKey ? { current: OLD } : {};
    this.#state = keysAtStart(this.#disk);
  }

  /** A device in its factory state is held by the window that a person opens. */
  deviceIsHeld(): boolean {
    const { current, next } = this.#disk;
    return this.#device === undefined || this.#device === current || this.#device === next;
  }

  happens(event: (typeof EVENTS)[number], index: number): void {
    const isInstalling = this.#state.phase.kind === 'installing';
    const deliverable = isInstalling ? this.#device === undefined && this.#state.held.next : this.#toSend;
    switch (event) {
      case 'begin':
        return this.#feed({
          kind: 'begin',
          path: this.#device === undefined ? 'install' : 'session',
          fresh: key(10 + index),
        });
      case 'stored':
        if (!this.#isHolding) return;
        this.#isHolding = false;
        this.#disk = this.#state.held;
        return this.#feed({ kind: 'held' });
      case 'storeFails':
        if (!this.#isHolding) return;
        this.#isHolding = false;
        return this.#feed({ kind: 'holdFailed' });
      case 'delivered':
      case 'lostAck':
        if (deliverable === undefined || deliverable === false) return;
        this.#device = deliverable;
        if (event === 'lostAck') return this.#sent('ERR_OSDP_DEADLINE');
        this.#sent();
        return this.#session();
      case 'lostFrame':
        return this.#sent('ERR_OSDP_DEADLINE');
      case 'session':
        return this.#session();
      case 'stop':
        return this.#feed({ kind: 'stopped' });
      case 'crash':
        this.#isHolding = false;
        this.#toSend = undefined;
        this.#state = keysAtStart(this.#disk);
        return;
      case 'reset':
        this.#device = undefined;
        return;
    }
  }

  #sent(trouble?: 'ERR_OSDP_DEADLINE'): void {
    if (this.#toSend === undefined) return;
    this.#toSend = undefined;
    this.#feed({ kind: 'sent', ...(trouble === undefined ? {} : { trouble }) });
  }

  /** The bus opens a session with whichever key the device has. */
  #session(): void {
    const { current, next } = this.#state.held;
    if (this.#state.phase.kind === 'holding') return;
    const opens = this.#device !== undefined && (this.#device === current || this.#device === next);
    if (opens) this.#feed({ kind: 'proven', scbk: this.#device ?? OLD });
    else if (current !== undefined || next !== undefined) this.#feed({ kind: 'refused' });
  }

  #feed(input: DeviceKeyInput): void {
    const { state, effects } = stepDeviceKey(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === 'hold') this.#isHolding = true;
      if (effect.kind === 'send') this.#toSend = effect.scbk;
      // A failed write leaves both on disk, which is covered by a crash before it.
      if (effect.kind === 'keep') this.#disk = state.held;
    }
  }
}
