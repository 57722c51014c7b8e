import { documentError } from '@sparc/protocol/document';
import { SiteFile } from '@sparc/protocol/policy';
import { checkSite, SiteCheck } from '@sparc/protocol/site-check';
import { checkDocument } from '../config/index.js';
import { checkBuses, type PolicyBus } from './check-buses.js';

/** About 60,000 credentials. The tree of a YAML text takes a hundred times its size in memory while it is read. */
export const SITE_FILE_LENGTH_MAX = 8 * 1_048_576;

/**
 * Reads a site file, YAML or JSON. Throws ERR_POLICY_INVALID whose `details.problems` are all problems at once, each at
 * its line. `buses`: those of the gateway that is to serve it.
 */
export function validateSiteFile(text: string, fileName: string, buses: readonly PolicyBus[] = []): SiteFile {
  const { source, problems } = checkDocument(SiteFile, text, fileName, {
    code: 'ERR_POLICY_INVALID',
    lengthMax: SITE_FILE_LENGTH_MAX,
  });
  const check = new SiteCheck(source, problems);
  checkSite(check);
  checkBuses(check, buses);
  const all = [...problems, ...check.problems];
  if (all.length > 0) throw documentError('ERR_POLICY_INVALID', fileName, all);
  return source.value as SiteFile;
}
