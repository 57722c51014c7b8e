import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { applySiteFile, loadPinKey, type Manifest, type Verify } from '@sparc/edge/policy';
import type { Clock } from '@sparc/protocol/ports';
import { SITE_FILE } from '../../support/site-file.js';

/** Stands still: nothing in an application of a site file waits. */
export const STOPPED_CLOCK: Clock = {
  monotonicMs: () => 0,
  wall: () => ({ unixMs: 1_790_000_000_000, quality: 'synced' }),
  setTimer: () => ({ cancel: () => undefined }),
};

export interface PolicyScene {
  readonly dataDir: string;
  readonly verify: Verify;
  readonly publicKey: Uint8Array;
  readonly pinKey: Uint8Array;
  apply(text?: string): Manifest;
}

/** A data directory with an identity of its own, removed after the test. */
export function policyScene(t: Test): PolicyScene {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-policy-'));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  return openPolicyScene(dataDir);
}

export function openPolicyScene(dataDir: string): PolicyScene {
  const signer = loadIdentity(dataDir);
  const pinKey = loadPinKey(dataDir, nodeRandom);
  const verify: Verify = (message, signature) => verifySignature(signer.publicKey, message, signature);
  return {
    dataDir,
    verify,
    publicKey: signer.publicKey,
    pinKey,
    apply: (text = SITE_FILE) =>
      applySiteFile({
        dataDir,
        text,
        fileName: 'site.yaml',
        signer,
        verify,
        random: nodeRandom,
        clock: STOPPED_CLOCK,
        pinKey,
      }),
  };
}
