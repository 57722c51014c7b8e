import t from 'tap';
import { CLOUD_REFUSALS_TOLD_EVERY_MS, CloudRefusals, type CloudRefusal } from '@sparc/edge/site-mesh';
import { VirtualClock } from '@sparc/simulator/world';

t.test("messages that are not the cloud's are told at once, and once an hour while they come", async (t) => {
  const clock = new VirtualClock();
  const told: CloudRefusal[] = [];
  const refusals = new CloudRefusals(clock, (refused) => told.push(refused));
  const code = 'ERR_LINK_ACKNOWLEDGEMENT_INVALID';
  refusals.look({ refusedCount: 0 });
  refusals.look({ refusedCount: 2, refusedCode: code });
  for (const refusedCount of [2, 500, 9_000]) refusals.look({ refusedCount, refusedCode: code });
  t.strictSame(told.splice(0), [{ code, count: 2 }]);
  await clock.advance(CLOUD_REFUSALS_TOLD_EVERY_MS);
  refusals.look({ refusedCount: 9_001, refusedCode: 'ERR_LEDGER_MALFORMED' });
  t.strictSame(told.splice(0), [{ code: 'ERR_LEDGER_MALFORMED', count: 8_999 }]);
  await clock.advance(CLOUD_REFUSALS_TOLD_EVERY_MS);
  refusals.look({ refusedCount: 9_001, refusedCode: 'ERR_LEDGER_MALFORMED' });
  t.strictSame(told, [], 'none since');
});
