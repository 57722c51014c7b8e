/**
 * Policy: validation of site files, and the store that answers who may enter. One generation is one immutable SQLite
 * file with a signed manifest; a pointer says which one is in force.
 * @packageDocumentation
 */
export { buildSite } from './build-site.js';
export { openGeneration } from './open-generation.js';
export { loadPinKey } from './pin.js';
export { PolicyBuilder, type PolicyBuilderOptions } from './policy-builder.js';
export { readSitePlan, sitePlanOf, type SitePlan } from './site-plan.js';
export { SqlitePolicyView } from './sqlite-policy-view.js';
export { SITE_FILE_LENGTH_MAX, validateSiteFile } from './validate-site-file.js';
