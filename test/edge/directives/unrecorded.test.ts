import t from 'tap';
import { AUTHORITY, directive, signed } from '../field/directed-sites.js';
import { deskOf } from './desk.js';

const LOCKDOWN = signed(AUTHORITY, directive({ kind: 'raise', what: 'lockdown' }));
const RECORDED_MAX_MS = 2_000;

t.test('whoever restricts hears whether the disk has it, from where others hear of it', async (t) => {
  for (const state of ['takes', 'loses', 'hangs'] as const) {
    const { desk, clock, disk, inForce } = deskOf();
    disk.state = state;
    let answeredAtMs = NaN;
    const receipt = desk.direct(LOCKDOWN).finally(() => (answeredAtMs = clock.monotonicMs()));
    t.equal(inForce.size, 1, 'it is in force at once');
    await clock.advance(RECORDED_MAX_MS + 1);
    const { outcome, code } = await receipt;
    t.strictSame([outcome, code], ['applied', state === 'takes' ? undefined : 'ERR_DIRECTIVE_UNRECORDED'], state);
    t.equal(answeredAtMs, state === 'hangs' ? RECORDED_MAX_MS : 0);
  }
});
