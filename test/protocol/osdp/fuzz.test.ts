import t from 'tap';
import { FC_SEED } from '../../support/property.js';
import { fuzzFrames } from './frame-fuzz.js';
import { fuzzSessions } from './session-fuzz.js';

/** `npm run soak` does hundreds of times as many. */
const FRAMES_COUNT = 40_000;
const SESSIONS_COUNT = 150;

t.test('frames that are nearly right: no decoder and no machine fails, over-reads, or takes a forgery', async (t) => {
  const { wellFormed, decoded, parsed } = fuzzFrames(FC_SEED, FRAMES_COUNT);
  t.comment(`${wellFormed} of ${FRAMES_COUNT} were frames, ${decoded} messages, ${parsed} came out of the parser`);
  t.ok(wellFormed > FRAMES_COUNT / 2, `${wellFormed} well-formed`);
  t.ok(decoded > FRAMES_COUNT / 10, `${decoded} decoded`);
  t.ok(parsed > 100, `${parsed} parsed`);
});

t.test(
  'sessions whose frames are changed: what is told is true, nothing goes out in clear, all come back',
  async (t) => {
    const { mutations, restarts, cardsDelivered, commandsExecuted } = fuzzSessions(FC_SEED, SESSIONS_COUNT);
    t.comment(`${mutations} mutations, ${restarts} restarts, ${cardsDelivered} cards, ${commandsExecuted} commands`);
    t.ok(mutations > SESSIONS_COUNT && restarts > 10 && cardsDelivered > 10 && commandsExecuted > SESSIONS_COUNT);
  },
);
