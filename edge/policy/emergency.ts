import { Type } from '@sinclair/typebox';
import { identifierKey } from '@sparc/protocol/card-format';
import { SparcError } from '@sparc/protocol/errors';
import type { SiteFile } from '@sparc/protocol/policy';
import type { Signer } from '@sparc/protocol/ports';
import type { EmergencyView } from '../access/index.js';
import { generationFiles, listGenerations, readPointer } from './generation-files.js';
import { readSignedFile, writeSignedFile, type Verify } from './signed-file.js';
import { SitePlan, sitePlanOf } from './site-plan.js';

const EmergencyCredential = Type.Object({
  credentialId: Type.String(),
  /** As `identifierKey` makes them. */
  identifierKeys: Type.Array(Type.String()),
  accessPointIds: Type.Array(Type.String()),
});

const EmergencyFile = Type.Object({
  generation: Type.Integer({ minimum: 1 }),
  revision: Type.String(),
  plan: SitePlan,
  credentials: Type.Array(EmergencyCredential, { maxItems: 64 }),
});

/**
 * What is left when no generation is readable: how the doors are wired, so that exit requests still work, and at most
 * 64 credentials, which always alarm.
 */
export interface EmergencyPolicy extends EmergencyView {
  /** Of the generation it was made with. */
  readonly revision: string;
  readonly plan: SitePlan;
}

/** Written with each generation, before it comes into force. */
export function writeEmergencyFile(
  dataDir: string,
  generation: number,
  revision: string,
  site: SiteFile,
  signer: Signer,
): void {
  const credentials = (site.emergencyCredentials ?? []).map(({ credential: credentialId, accessPoints }) => ({
    credentialId,
    identifierKeys: (site.credentials.find(({ id }) => id === credentialId)?.identifiers ?? []).map(identifierKey),
    accessPointIds: accessPoints,
  }));
  const body = { generation, revision, plan: sitePlanOf(site), credentials };
  writeSignedFile(generationFiles(dataDir, generation).emergency, 'emergency', body, signer);
}

/** The newest that is whole and authentic, of the generation in force or an earlier one; undefined when there is none. */
export function loadEmergencyCredentials(dataDir: string, verify: Verify): EmergencyPolicy | undefined {
  const pointer = readPointer(dataDir);
  for (const generation of listGenerations(dataDir)) {
    if (typeof pointer === 'number' && generation > pointer) continue;
    try {
      const path = generationFiles(dataDir, generation).emergency;
      const file = readSignedFile(path, 'emergency', EmergencyFile, verify);
      if (file.generation !== generation) continue;
      return {
        revision: file.revision,
        plan: file.plan,
        cardFormats: file.plan.cardFormats,
        emergencyCredential: (key, accessPointId) =>
          file.credentials.find(
            ({ identifierKeys, accessPointIds }) =>
              identifierKeys.includes(key) && accessPointIds.includes(accessPointId),
          ),
      };
    } catch (error) {
      if (!(error instanceof SparcError)) throw error;
    }
  }
  return undefined;
}
