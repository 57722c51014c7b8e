import { existsSync } from 'node:fs';
import t from 'tap';
import { createTimeEvidence } from '@sparc/edge/platform';

const evidence = createTimeEvidence();
/** As exact as `/proc/uptime` is. */
const READING_MS = 20;

t.test('the uptime runs as the monotonic clock does', async (t) => {
  // Whatever else the machine does between two readings: each of the one lies between two of the other.
  const read = () => ({ beforeMs: performance.now(), uptimeMs: evidence.uptimeMs(), afterMs: performance.now() });
  const first = read();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const last = read();
  const ranMs = last.uptimeMs - first.uptimeMs;
  t.ok(ranMs > last.beforeMs - first.afterMs - READING_MS, `${ranMs} ms`);
  t.ok(ranMs < last.afterMs - first.beforeMs + READING_MS, `${ranMs} ms`);
});

t.test('one run of the machine has one name', async (t) => {
  t.equal(createTimeEvidence().bootId, evidence.bootId);
  t.equal(evidence.bootId !== undefined, existsSync('/proc/sys/kernel/random/boot_id'));
});

t.test('what a time source or a hardware clock says is an instant, or nothing', async (t) => {
  for (const unixMs of [evidence.confirmedUnixMs(), evidence.hardwareUnixMs()]) {
    t.ok(unixMs === undefined || (unixMs > 0 && unixMs < Date.UTC(2100, 0, 1)), String(unixMs));
  }
});
