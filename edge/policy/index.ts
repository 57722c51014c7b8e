/**
 * Policy: validation of site files, and the store that answers who may enter. One generation is one immutable SQLite
 * file with a signed manifest; a pointer says which one is in force.
 * @packageDocumentation
 */
export { applyGeneration, type GenerationOptions } from './apply-generation.js';
export { applySiteFile, type ApplyOptions } from './apply-site-file.js';
export { buildContent, buildSite } from './build-site.js';
export { splitDoors } from './check-door-gateway.js';
export { confirmedUnixMsOf, readConfirmation, writeConfirmation } from './confirmation.js';
export { findEmergencyPolicy, loadEmergencyCredentials, type EmergencyPolicy } from './emergency.js';
export { findRevision } from './find-revision.js';
export { archiveGeneration, archiveOf } from './generation-archive.js';
export { policyFolder, readPointer } from './generation-files.js';
export { verifyOne, type Manifest } from './manifest.js';
export { openGeneration } from './open-generation.js';
export { loadPinKey, pinKeyOf } from './pin.js';
export { planOfGateway } from './plan-of-gateway.js';
export { hasPerson, NO_PLACES, Places, readPlaces } from './places.js';
export { policyChanges } from './policy-changes.js';
export { policyContentOf } from './policy-content.js';
export { RecentMap } from './recent-map.js';
export { ReplicaWatch, type ReplicaMessage } from './replica-watch.js';
export type { Verify } from './signed-file.js';
export { readSitePlan } from './site-plan.js';
export { SqlitePolicyView } from './sqlite-policy-view.js';
export { SITE_FILE_LENGTH_MAX, validateSiteFile } from './validate-site-file.js';
export { verifyGeneration, type UsableGeneration, type VerifiedGeneration } from './verify-generation.js';
