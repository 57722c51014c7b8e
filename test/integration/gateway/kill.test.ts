import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyLedger } from '@sparc/edge/ledger';
import t from 'tap';
import { LiveGateway, type RecordedEvent } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';
import { DurabilityShim, SKIP_WITHOUT_CC } from '../journal/durability-shim.js';

/** What a grant does to the disk: its entry is written and flushed, then its outcome; what a kill leaves of it. */
const POINTS = [
  { at: 'write 1', moved: false, outcome: undefined },
  { at: 'flush 1', moved: false, outcome: 'access.outcome_unknown' },
  { at: 'flushed 1', moved: false, outcome: 'access.outcome_unknown' },
  { at: 'the lock moved', moved: true, outcome: 'access.outcome_unknown' },
  { at: 'flush 2', moved: true, outcome: 'access.released' },
  { at: 'flushed 2', moved: true, outcome: 'access.released' },
] as const;

const OUTCOMES = ['access.released', 'access.not_executed', 'access.outcome_unknown', 'access.abandoned'];

/** Long enough for a stale command to show itself. */
const WATCH_MS = 500;

/** Whatever a start leaves to record is on disk: the next flush is that of the grant. */
async function isQuiet(gateway: LiveGateway): Promise<void> {
  for (let count = -1; count !== gateway.events.length;) {
    count = gateway.events.length;
    await sleep(WATCH_MS);
  }
}

const isOfGrant = ({ name, causeId }: RecordedEvent) => name === 'access.granted' || causeId !== undefined;

const grantsWithoutOneOutcome = (events: readonly RecordedEvent[]) =>
  events
    .filter(({ name }) => name === 'access.granted')
    .filter(
      ({ epoch, sequence }) =>
        events.filter(
          ({ name, causeId }) => OUTCOMES.includes(name) && causeId?.epoch === epoch && causeId.sequence === sequence,
        ).length !== 1,
    );

t.test(
  'killed at any point of a grant, the lock relocks by itself and nothing old energises it',
  { skip: SKIP_WITHOUT_CC },
  async (t) => {
    const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-a' }]) });
    t.teardown(() => gateway.remove());
    const scratch = await mkdtemp(join(tmpdir(), 'sparc-shim-'));
    t.teardown(() => rm(scratch, { recursive: true, force: true }));
    const shim = new DurabilityShim(scratch, { folder: gateway.dataDir });
    const lock = gateway.lock('front');

    let cardNumber = 0;
    /** False where the gateway had something else to record, or a busy machine took the card too late: no grant was killed. */
    const isGrantKilled = async ({ at, moved, outcome }: (typeof POINTS)[number]): Promise<boolean> => {
      await gateway.startOnline(shim.environment);
      await isQuiet(gateway);
      const movementsBefore = lock.movements.length;
      const epoch = gateway.newestEpoch;
      const knownCount = gateway.events.length;
      const cardId = `card-${++cardNumber}`;
      if (at === 'the lock moved') {
        lock.onChange = () => {
          lock.onChange = () => undefined;
          process.kill(gateway.pid, 'SIGKILL');
        };
      } else {
        await writeFile(shim.killMark, at);
      }
      gateway.present('front-reader', cardId);
      const isSpoiled = () =>
        gateway.events.slice(knownCount).some((event) => event.epoch === epoch && !isOfGrant(event));
      await eventually(`killed at ${at}`, () => gateway.hasEnded || isSpoiled());
      if (gateway.hasEnded) t.equal(await gateway.ended(), 'SIGKILL', `killed at ${at}`);
      else await gateway.end('SIGKILL');
      lock.onChange = () => undefined;
      await rm(shim.killMark, { force: true });
      await eventually('the lock is closed', () => !lock.released);
      const movedCount = lock.movements.length - movementsBefore;
      const verified = verifyLedger(join(gateway.dataDir, 'journal.db'));

      await gateway.startOnline(shim.environment);
      if (isSpoiled()) {
        await gateway.end('SIGKILL');
        return false;
      }
      await sleep(WATCH_MS);
      t.equal(movedCount, moved ? 2 : 0, `${at}: ${moved ? 'released once, relocked' : 'never moved'}`);
      t.match(verified, { ok: true });
      t.equal(lock.movements.length - movementsBefore, movedCount, 'nothing old energises');
      const { events } = gateway;
      t.same(grantsWithoutOneOutcome(events), [], 'every grant has one outcome');
      const grant = events.find((event) => event.name === 'access.granted' && event.epoch === epoch);
      const told = events.find(
        ({ causeId }) => grant && causeId?.epoch === epoch && causeId.sequence === grant.sequence,
      );
      t.equal(told?.name, outcome, `its grant is told as ${outcome ?? 'nothing'}`);
      await gateway.end('SIGKILL');
      return true;
    };

    for (const point of POINTS) while (!(await isGrantKilled(point)));
    t.equal((await gateway.sparc('ledger', 'verify')).exitCode, 0);
  },
);
