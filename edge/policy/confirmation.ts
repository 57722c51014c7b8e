import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import type { Signer } from '@sparc/protocol/ports';
import { policyFolder } from './generation-files.js';
import type { Manifest } from './manifest.js';
import { readSignedFile, replaceSignedFile, type Verify } from './signed-file.js';

/** The authority of the site said again that a revision holds. */
const Confirmation = Type.Object({
  revision: Type.String({ minLength: 1 }),
  /** By the clock of the authority. */
  confirmedUnixMs: Type.Integer(),
});
export type Confirmation = Static<typeof Confirmation>;

const pathOf = (dataDir: string): string => join(policyFolder(dataDir), 'confirmation.json');

export function writeConfirmation(dataDir: string, confirmation: Confirmation, signer: Signer): void {
  replaceSignedFile(pathOf(dataDir), 'confirmation', confirmation, signer);
}

/** When its authority confirmed a generation last; what cannot be read confirms nothing. */
export function confirmedUnixMsOf(dataDir: string, manifest: Manifest, verify: Verify): number {
  const { revision, appliedUnixMs, issued } = manifest;
  const madeUnixMs = issued?.issuedUnixMs ?? appliedUnixMs;
  const said = readable(dataDir, verify);
  return said?.revision === revision ? Math.max(madeUnixMs, said.confirmedUnixMs) : madeUnixMs;
}

function readable(dataDir: string, verify: Verify): Confirmation | undefined {
  try {
    return readSignedFile(pathOf(dataDir), 'confirmation', Confirmation, verify);
  } catch (error) {
    if (error instanceof SparcError) return undefined;
    throw error;
  }
}
