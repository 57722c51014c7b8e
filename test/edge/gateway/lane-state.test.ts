import t from 'tap';
import { LaneState } from '@sparc/edge/gateway';
import type { LaneRejection } from '@sparc/edge/policy-lane';

const rejection = (number?: number): LaneRejection => ({
  ...(number !== undefined && { number }),
  code: 'ERR_POLICY_REVISION_INVALID',
  message: 'it is not used',
});
const issued = (number: number) => ({ number, issuedUnixMs: 1_790_000_000_000 });
const rejected = (number: number) => ({ number, code: 'ERR_POLICY_REVISION_INVALID' });

t.test('a rejection without a number is shown until something newer comes into force', async (t) => {
  const state = new LaneState();
  state.loaded(issued(3));
  state.rejected(rejection());
  t.strictSame(state.view(), { inForce: issued(3), rejected: { code: 'ERR_POLICY_REVISION_INVALID' } });
  state.loaded(undefined);
  t.match(state.view(), { rejected: { code: 'ERR_POLICY_REVISION_INVALID' } }, 'to lose a policy heals nothing');
  state.loaded(issued(4));
  t.strictSame(state.view(), { inForce: issued(4) });
});

t.test('of rejected revisions the newest is shown, while it is newer than the one in force', async (t) => {
  const state = new LaneState();
  state.rejected(rejection(3));
  state.rejected(rejection(2));
  t.strictSame(state.view(), { rejected: rejected(3) });
  state.loaded(issued(2));
  t.strictSame(state.view(), { inForce: issued(2), rejected: rejected(3) });
  state.loaded(issued(4));
  state.rejected(rejection(3));
  t.strictSame(state.view(), { inForce: issued(4) });
});
