import t from 'tap';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { AUTHORITY, directive, keptDirectives, signed } from '../field/directed-sites.js';
import { deskOf } from './desk.js';

const EXPULSION = signed(AUTHORITY, directive({ kind: 'expel', gateway: 'cd'.repeat(32), heads: [] }));

/** What a sink that fails comes to, and whether the same directive is carried out again after a restart. */
async function afterRestart(code: ErrorCode) {
  const store = keptDirectives();
  const expel = () => Promise.reject(new SparcError(code, 'of the disk'));
  const receipt = await deskOf(store, undefined, { expel }).desk.direct(EXPULSION);
  const again = await deskOf(store).desk.direct(EXPULSION);
  return [receipt.outcome, receipt.code, again.outcome];
}

t.test('what the disk did not take, or what was refused for now, is carried out again by a restart', async (t) => {
  for (const code of ['ERR_MESH_EXPULSION_UNSAVED', 'ERR_DIRECTIVE_VISITOR_UNSAVED'] as const) {
    t.strictSame(await afterRestart(code), ['applied', code, 'applied']);
  }
  for (const code of ['ERR_MESH_MEMBER_UNKNOWN', 'ERR_DIRECTIVE_VISITOR_UNRECORDED'] as const) {
    t.strictSame(await afterRestart(code), ['refused', code, 'applied']);
  }
  t.strictSame(await afterRestart('ERR_MESH_HEAD_INVALID'), ['refused', 'ERR_MESH_HEAD_INVALID', 'known']);
});
