import { Type, type Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import { EmergencyCard, SitePlan } from '@sparc/protocol/policy';
import type { EmergencyView } from '../access/index.js';
import { archiveOf } from './generation-archive.js';
import { generationFiles, listGenerations, readPointer } from './generation-files.js';
import { readSignedFile, type Verify } from './signed-file.js';

/** Written with each generation, before it comes into force. */
const EmergencyFile = Type.Object({
  generation: Type.Integer({ minimum: 1 }),
  revision: Type.String(),
  plan: SitePlan,
  emergencyCredentials: Type.Array(EmergencyCard, { maxItems: 64 }),
});

/**
 * What is left when no generation is readable: how the doors are wired, so that exit requests still work, and at most
 * 64 credentials, which always alarm.
 */
export interface EmergencyPolicy extends EmergencyView {
  readonly plan: SitePlan;
}

/** The newest that is whole and authentic, of the generation in force or an earlier one; undefined when there is none. */
export function loadEmergencyCredentials(dataDir: string, verify: Verify): EmergencyPolicy | undefined {
  const pointer = readPointer(dataDir);
  const isDue = (generation: number) => typeof pointer !== 'number' || generation <= pointer;
  for (const policy of emergencyPolicies(dataDir, verify, isDue)) return policy;
  return undefined;
}

/** The one that was made with a revision, in the archive too. Throws ERR_POLICY_REVISION_ABSENT. */
export function findEmergencyPolicy(dataDir: string, revision: string, verify: Verify): EmergencyPolicy {
  for (const folder of [dataDir, archiveOf(dataDir)]) {
    for (const policy of emergencyPolicies(folder, verify)) if (policy.revision === revision) return policy;
  }
  throw new SparcError('ERR_POLICY_REVISION_ABSENT', `${dataDir} has no emergency credentials of ${revision}`, {
    revision,
  });
}

/** Those that are whole and authentic, newest first. */
function* emergencyPolicies(
  dataDir: string,
  verify: Verify,
  isWanted: (generation: number) => boolean = () => true,
): Iterable<EmergencyPolicy> {
  for (const generation of listGenerations(dataDir)) {
    if (!isWanted(generation)) continue;
    try {
      const path = generationFiles(dataDir, generation).emergency;
      const file = readSignedFile(path, 'emergency', EmergencyFile, verify);
      if (file.generation === generation) yield policyOf(file);
    } catch (error) {
      if (!(error instanceof SparcError)) throw error;
    }
  }
}

const policyOf = ({ revision, plan, emergencyCredentials }: Static<typeof EmergencyFile>): EmergencyPolicy => ({
  revision,
  plan,
  cardFormats: plan.cardFormats,
  accessPoint: (accessPointId) => plan.accessPoints.find(({ id }) => id === accessPointId),
  emergencyCredential: (key, accessPointId) =>
    emergencyCredentials.find(
      ({ identifierKeys, accessPointIds }) => identifierKeys.includes(key) && accessPointIds.includes(accessPointId),
    ),
});
