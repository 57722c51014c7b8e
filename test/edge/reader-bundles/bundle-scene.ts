import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { PdId } from '@sparc/protocol/osdp';
import { makeBundle, type BundleDescription } from '@sparc/edge/reader-bundles';
import { testSigner } from '../../support/test-signer.js';

export const SIGNER = testSigner(7);
export const PAYLOAD = Uint8Array.from({ length: 40_000 }, (_, index) => (index * 7) % 251);

export const DESCRIPTION: BundleDescription = {
  name: 'Wall readers',
  version: '1.2.0',
  content: 'firmware',
  target: { vendor: '0a0b0c', models: [1], firmwareMin: '1.0.0', firmwareMax: '1.1.255' },
  firmwareAfter: '1.2.0',
  fileType: 1,
};

export const reader = (minor: number, serial = 5): PdId => ({
  vendor: '0a0b0c',
  model: 1,
  version: 2,
  serial,
  firmware: { major: 1, minor, build: 0 },
});

/** A bundle in a file of its own. */
export function bundleFile(t: Test, description: BundleDescription = DESCRIPTION): { path: string; bytes: Uint8Array } {
  const path = join(t.testdir(), 'wall.bundle');
  const bytes = makeBundle(description, PAYLOAD, SIGNER);
  writeFileSync(path, bytes);
  return { path, bytes };
}
