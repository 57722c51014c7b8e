import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readMembership } from '../membership/index.js';
import { verifySignature } from '../platform/index.js';
import { REPLICA_FILE } from '../replica/index.js';
import { AuthorityCourse } from './authority-course.js';

/**
 * Number of the newest policy that the authority of a gateway's site signed, as far as it came here; undefined for a
 * gateway without a site, or a site that leaves policies to its gateways. Throws as membership and replicas do.
 */
export function publishedRevision(dataDir: string): number | undefined {
  const membership = readMembership(dataDir, verifySignature);
  const path = join(dataDir, REPLICA_FILE);
  if (membership === undefined || !existsSync(path)) return undefined;
  // What cannot be read is not published either.
  const course = new AuthorityCourse(membership.authority, () => undefined);
  course.read(path);
  return course.course.revisions[0]?.revision.number;
}
