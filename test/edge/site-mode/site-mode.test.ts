import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import t from 'tap';
import { isSparcError } from '@sparc/protocol/errors';
import { DOOR_MODES, type StandingMode } from '@sparc/protocol/policy';
import type { Place, Raise } from '@sparc/protocol/site-mode';
import {
  afterRestart,
  ModeFile,
  NORMAL,
  obey,
  OrderRequest,
  standingMode,
  type Circumstances,
  type ModeStore,
  type FireAlarm,
  type SiteMode,
  type StandingOrder,
} from '@sparc/edge/site-mode';
import { checkProperty } from '../../support/property.js';

const ACT = { by: 'Ada', atUnixMs: 1 };
const raise = (what: Raise['what'], more: Partial<Raise> = {}): Raise => ({
  ...ACT,
  id: what.padEnd(32, '0'),
  what,
  ...more,
});
/** Of a gateway that is alone. */
function alone(): Circumstances {
  let idsCount = 0;
  const newId = () => (idsCount += 1).toString(16).padStart(32, '0');
  return { newId, isInMesh: false, activeFireInputs: new Set() };
}
const MODES = DOOR_MODES.filter((mode): mode is StandingMode => mode !== 'accessed');
const RELEASES = ['none', 'egress', 'both'] as const;

const door = (fireRelease: (typeof RELEASES)[number], fireAlarms?: string[], areas: string[] = []): Place => ({
  areas,
  door: {
    id: 'door',
    name: 'Door',
    lock: { output: 'lock', type: 'failSecure' },
    onGatewayLoss: 'relock',
    fireRelease,
    ...(fireAlarms === undefined ? {} : { fireAlarms }),
  },
});

/** No other gateway has an input. */
const nobody = () => false;

t.test('fire comes before lockdown, lockdown before an order, an order before the schedule', async (t) => {
  for (const fireRelease of RELEASES) {
    for (const isFire of [false, true]) {
      for (const isLockdown of [false, true]) {
        for (const ordered of [undefined, ...MODES]) {
          for (const isScheduled of [false, true]) {
            const mode: SiteMode = {
              ...NORMAL,
              raises: [...(isFire ? [raise('evacuation')] : []), ...(isLockdown ? [raise('lockdown')] : [])],
              doors: ordered === undefined ? {} : { door: { ...ACT, mode: ordered } },
            };
            const expected =
              isFire && fireRelease === 'both'
                ? 'lockedOpen'
                : isLockdown
                  ? 'lockedDown'
                  : (ordered ?? (isScheduled ? 'unlocked' : 'locked'));
            const said = `${fireRelease} fire ${isFire} lockdown ${isLockdown} ${ordered} schedule ${isScheduled}`;
            t.equal(standingMode(mode, door(fireRelease), isScheduled, nobody), expected, said);
          }
        }
      }
    }
  }
});

t.test('a fire alarm concerns the doors that name it, or that name none; an evacuation concerns all', async (t) => {
  const fire = (input: string): SiteMode => ({ ...NORMAL, raises: [raise('fire', { input })] });
  t.equal(standingMode(fire('north'), door('both', ['north']), false, nobody), 'lockedOpen');
  t.equal(standingMode(fire('north'), door('both', ['south']), false, nobody), 'locked');
  t.equal(standingMode(fire('north'), door('both'), false, nobody), 'lockedOpen');
  t.equal(
    standingMode({ ...NORMAL, raises: [raise('evacuation')] }, door('both', ['south']), false, nobody),
    'lockedOpen',
  );
});

t.test('from every mode of a door every other is reached, if need be through its release', async (t) => {
  for (const from of MODES) {
    for (const to of MODES) {
      const ordered = obey(NORMAL, { kind: 'door', door: 'door', mode: from }, ACT, alone()).mode;
      const isHeld = (from === 'lockedDown' || from === 'lockedOpen') && from !== to;
      if (isHeld) t.throws(() => obey(ordered, { kind: 'door', door: 'door', mode: to }, ACT, alone()));
      const left = isHeld ? obey(ordered, { kind: 'releaseDoor', door: 'door' }, ACT, alone()).mode : ordered;
      const reached = obey(left, { kind: 'door', door: 'door', mode: to }, ACT, alone()).mode;
      t.equal(standingMode(reached, door('none'), false, nobody), to, `${from} to ${to}`);
    }
  }
});

/** Orders and fire alarms, as they come; a restart of the gateway among them. */
const anything: fc.Arbitrary<StandingOrder | FireAlarm | 'restart'> = fc.oneof(
  fc.constantFrom<StandingOrder | FireAlarm | 'restart'>(
    { kind: 'lockdown' },
    { kind: 'endLockdown' },
    { kind: 'evacuate' },
    { kind: 'fire', inputId: 'panel' },
    { kind: 'releaseDoor', door: 'door' },
    'restart',
  ),
  fc.constantFrom(...MODES).map((mode) => ({ kind: 'door' as const, door: 'door', mode })),
);

t.test('whatever was ordered and whatever burnt, three orders bring a door back to its schedule', async (t) => {
  checkProperty(
    fc.property(
      fc.array(anything, { maxLength: 12 }),
      fc.constantFrom(...RELEASES),
      fc.boolean(),
      (acts, fire, open) => {
        const circumstances = alone();
        let mode = NORMAL;
        for (const act of acts) {
          try {
            mode = act === 'restart' ? afterRestart(mode) : obey(mode, act, ACT, circumstances).mode;
          } catch (error) {
            if (!isSparcError(error, 'ERR_GATEWAY_ORDER_REFUSED')) throw error;
          }
        }
        const ends: readonly StandingOrder[] = [
          { kind: 'endFire' },
          { kind: 'endLockdown' },
          { kind: 'releaseDoor', door: 'door' },
        ];
        for (const end of ends) mode = obey(mode, end, ACT, circumstances).mode;
        return standingMode(mode, door(fire), open, nobody) === (open ? 'unlocked' : 'locked');
      },
    ),
    300,
  );
  t.pass();
});

t.test('a restart keeps what restricts and what frees people, and no order that opens', async (t) => {
  const doors = Object.fromEntries(MODES.map((mode) => [mode, { ...ACT, mode }]));
  const raises = [raise('lockdown'), raise('threat', { level: 2 }), raise('fire', { input: 'panel' })];
  const kept = afterRestart({ raises, released: [], doors });
  t.same(Object.keys(kept.doors).sort(), ['blocked', 'doubleLocked', 'locked', 'lockedDown']);
  t.same(kept.raises, raises);
});

t.test('the file of the mode is for its owner, gives back what was saved, and says when it is damaged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-mode-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file: ModeStore = new ModeFile(folder);
  t.equal(file.load(), undefined);
  const mode: SiteMode = {
    raises: [
      raise('lockdown', { scope: ['lab'], isDirected: true }),
      raise('threat', { level: 3, entry: { author: 'ab'.repeat(32), epoch: 1, sequence: 2 } }),
      raise('fire', { input: 'panel', isTimeUnknown: true }),
    ],
    released: [{ id: '0'.repeat(32) }, { id: '1'.repeat(32), within: ['lab'] }],
    doors: { front: { ...ACT, mode: 'blocked' } },
  };
  await file.save(mode);
  const path = join(folder, 'site-mode.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(new ModeFile(folder).load(), mode);
  for (const text of [
    '',
    '{"threatLevel":',
    '{"raises":[],"released":[],"doors":{"a":{"by":"x","atUnixMs":1,"mode":"ajar"}}}',
    '{"threatLevel":0,"fires":{},"doors":{}}',
  ]) {
    writeFileSync(path, text);
    t.throws(() => file.load(), { code: 'ERR_GATEWAY_MODE_DAMAGED' });
  }
});

t.test('nobody gives an order in the name of a linkage rule', async (t) => {
  const order = { kind: 'lockdown' };
  t.ok(Value.Check(OrderRequest, { kind: 'order', by: 'ruler', order }));
  t.notOk(Value.Check(OrderRequest, { kind: 'order', by: 'rule:panic', order }));
});
