import { openHeard, type HeardEntry } from '@sparc/edge/heard';
import { verifySignature } from '@sparc/edge/platform';

/** An entry of a gateway of the site `site`, as whoever hears it has it: what it carries was opened. */
export const asHeard = (entry: HeardEntry): HeardEntry =>
  entry.record.name === 'directive.given'
    ? { ...entry, directive: openHeard(verifySignature, 'site', entry.record, entry.hlc.unixMs) }
    : entry;
