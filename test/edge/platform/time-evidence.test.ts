import { existsSync } from 'node:fs';
import t from 'tap';
import { createTimeEvidence } from '@sparc/edge/platform';

const evidence = createTimeEvidence();

t.test('the uptime runs as the monotonic clock does', async (t) => {
  const [uptimeMs, monotonicMs] = [evidence.uptimeMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 100));
  const apartMs = evidence.uptimeMs() - uptimeMs - (performance.now() - monotonicMs);
  t.ok(Math.abs(apartMs) < 50, `${apartMs} ms apart`);
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
