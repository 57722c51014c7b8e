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
  /** Where it stands in the log of the authority. */
  hlc: Type.Object({ unixMs: Type.Integer(), counter: Type.Integer() }),
  /** By the clock of the authority; not later than that of this gateway when it heard of it, as far as that was known. */
  confirmedUnixMs: Type.Integer(),
});
export type Confirmation = Static<typeof Confirmation>;

const pathOf = (dataDir: string): string => join(policyFolder(dataDir), 'confirmation.json');

export function writeConfirmation(dataDir: string, confirmation: Confirmation, signer: Signer): void {
  replaceSignedFile(pathOf(dataDir), 'confirmation', confirmation, signer);
}

/** When its authority confirmed a generation last: by what was kept of that, or when it was made. */
export const confirmedUnixMsOf = (
  { appliedUnixMs, issued }: Manifest,
  confirmation: Confirmation | undefined,
): number => confirmation?.confirmedUnixMs ?? issued?.issuedUnixMs ?? appliedUnixMs;

/** The last one of a generation; what cannot be read confirms nothing. */
export function readConfirmation(dataDir: string, { revision }: Manifest, verify: Verify): Confirmation | undefined {
  try {
    const confirmation = readSignedFile(pathOf(dataDir), 'confirmation', Confirmation, verify);
    return confirmation.revision === revision ? confirmation : undefined;
  } catch (error) {
    if (error instanceof SparcError) return undefined;
    throw error;
  }
}
