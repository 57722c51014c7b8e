import type { PolicyContent, SiteFile } from '@sparc/protocol/policy';
import { contentOfSite } from '@sparc/protocol/site-check';
import { pinMac } from './pin.js';

/** What a site file says that `validateSiteFile` returned, as it is stored and as it travels. */
export const policyContentOf = (site: SiteFile, pinKey: Uint8Array): PolicyContent =>
  contentOfSite(site, pinMac(pinKey));
