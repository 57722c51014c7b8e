import { runThread } from '../platform/index.js';
import { invalidDraft } from './draft-object.js';
import { isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';
import type { FromSiteFileThread, SiteFileData } from './site-file-thread/main.js';

/** About 60,000 credentials, as for a gateway; more come by CSV. */
export const SITE_FILE_LENGTH_MAX = 8 * 1_048_576;
/** One of that length takes seven seconds of a processor as YAML, and a gigabyte. */
export const SITE_FILE_READ_MAX_MS = 60_000;
export const SITE_FILE_HEAP_MAX_MB = 1_536;

/** Some objects of one kind, as somebody gives them: nothing about them is checked but their size. */
export interface GivenObjects {
  readonly kind: PolicyKind;
  readonly given: readonly unknown[];
}

const PROGRAM = new URL('site-file-thread/main.js', import.meta.url);
const fields = {
  lists: POLICY_KINDS.filter((kind) => !isSingle(kind)),
  singles: POLICY_KINDS.filter(isSingle),
};

/**
 * Reads a site file in a thread of its own, some objects at a time. Throws ERR_POLICY_INVALID for what is none, and for one that
 * takes more of time or memory than a sound one of SITE_FILE_LENGTH_MAX.
 */
export async function readSiteFile(
  text: string,
  { timeMaxMs = SITE_FILE_READ_MAX_MS, heapMaxMb = SITE_FILE_HEAP_MAX_MB } = {},
): Promise<readonly GivenObjects[]> {
  if (text.length > SITE_FILE_LENGTH_MAX) {
    throw wholeFile(`it is ${text.length} characters long; the most is ${SITE_FILE_LENGTH_MAX}`);
  }
  const data: SiteFileData = { text, fields };
  const posted = await runThread<FromSiteFileThread>(PROGRAM, { data, timeMaxMs, heapMaxMb });
  if (posted === 'time') throw wholeFile(`it takes more than ${timeMaxMs / 1_000} s to read; JSON takes far less`);
  if (posted === 'memory') throw wholeFile(`it takes more than ${heapMaxMb} MB to read; JSON takes far less`);
  return posted.map((each) => {
    if ('problem' in each) throw wholeFile(each.problem);
    return { kind: each.field as PolicyKind, given: each.given };
  });
}

const wholeFile = (message: string) => invalidDraft([{ kind: 'site', path: '', message }]);
