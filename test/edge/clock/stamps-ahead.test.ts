import t from 'tap';
import { STAMPS_AHEAD_PAUSE_MS, StampsAhead } from '@sparc/edge/clock';
import type { EventDraft } from '@sparc/protocol/events';
import { HLC_TOLERATED_MAX_MS } from '@sparc/protocol/hlc';
import { VirtualClock } from '@sparc/simulator/world';

const [NORTH, SOUTH] = ['aa'.repeat(32), 'bb'.repeat(32)] as const;

t.test('stamps too far ahead to be followed are told once an hour of each gateway', async (t) => {
  const clock = new VirtualClock({ startUnixMs: 1_000_000 });
  const records: EventDraft[] = [];
  const ahead = new StampsAhead({ clock, record: (event) => records.push(event) });
  const stamped = (author: string, aheadMs: number) =>
    ahead.look(author, { unixMs: clock.wall().unixMs + aheadMs, counter: 3 });
  stamped(NORTH, HLC_TOLERATED_MAX_MS);
  t.same(records, []);
  stamped(NORTH, HLC_TOLERATED_MAX_MS + 1);
  stamped(NORTH, 500_000);
  stamped(SOUTH, 300_000);
  const event = (gateway: string, aheadMs: string) => ({ name: 'clock.stamps_ahead', detail: { gateway, aheadMs } });
  t.same(records.splice(0), [event(NORTH, '240001'), event(SOUTH, '300000')]);
  await clock.advance(STAMPS_AHEAD_PAUSE_MS - 1);
  stamped(NORTH, 500_000);
  t.same(records, []);
  await clock.advance(1);
  stamped(NORTH, 500_000);
  t.same(records, [event(NORTH, '500000')]);
});
