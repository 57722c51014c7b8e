import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { COPIED_AT_ONCE_MAX, COPIED_PAUSE_MS, CopiedWords } from '@sparc/edge/gateway';
import type { CloudCopy } from '@sparc/edge/ledger';
import { VirtualClock } from '@sparc/simulator/world';
import { openAuthorities } from '../../support/certificates.js';

const words = [new Uint8Array([1]), new Uint8Array([2])];
const cloudKey = new Uint8Array(32).fill(7);
const carrier = { tenant: '0b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b', site: 'harbour', gateway: 'ab'.repeat(32) };

t.test(
  'the journal has words with the key that the disk has, and time for grants whatever the site process says',
  async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'sparc-copied-'));
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
    const clock = new VirtualClock();
    const copies: CloudCopy[] = [];
    const failures: unknown[] = [];
    const open = () =>
      new CopiedWords({
        clock,
        dataDir,
        empty: (copy) => copies.push(copy),
        onFailure: (error) => failures.push(error),
      });
    open().take(words);
    t.same([copies, failures], [[], []], 'without a cloud there is nothing to check them by');

    const files = new LinkFiles(dataDir);
    const authorities = await openAuthorities(join(dataDir, 'keys'));
    const { chain: certificates } = await authorities.issue(carrier, files.request());
    const urls = { brokerUrl: 'mqtts://cloud.example.com:7783', renewalUrl: 'https://cloud.example.com:7743' };
    files.keep({ tenant: carrier.tenant, cloudKey, ...urls, root: authorities.rootDer, certificates });
    const copied = open();
    for (let count = 0; count < 1_000; count++) copied.take(words);
    t.same(copies, Array(COPIED_AT_ONCE_MAX).fill({ words, cloudKey }));
    await clock.advance(COPIED_PAUSE_MS);
    for (let count = 0; count < 1_000; count++) copied.take(words);
    t.equal(copies.length, COPIED_AT_ONCE_MAX + 1);

    writeFileSync(join(dataDir, 'secrets', 'link.bin'), 'torn');
    open().take(words);
    t.same([copies.length, failures.length], [COPIED_AT_ONCE_MAX + 1, 1]);
  },
);
