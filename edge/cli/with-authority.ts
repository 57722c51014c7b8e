import { AuthorityFolder } from '../authority/index.js';
import { createNodeClock, nodeRandom, verifySignature } from '../platform/index.js';

/** Of every command that works on the folder of an authority. */
export const authorityDeps = () => ({ clock: createNodeClock(), random: nodeRandom, verify: verifySignature });

/** Opens the folder of an authority for one command. Throws as `AuthorityFolder.open` does. */
export function withAuthority<T>(dir: string, work: (folder: AuthorityFolder) => T): T {
  const folder = AuthorityFolder.open(dir, authorityDeps());
  try {
    return work(folder);
  } finally {
    folder.close();
  }
}
