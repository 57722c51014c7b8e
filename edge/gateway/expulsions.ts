import { headFromText } from '@sparc/protocol/ledger';
import type { DirectiveSinks, Outcome } from '../directives/index.js';
import { nodeCrypto } from '../ledger/index.js';
import { ExpulsionBook, ExpulsionFile, readMembership, type ExpulsionBookDeps } from '../membership/index.js';
import { verifySignature } from '../platform/index.js';

/** Makes expulsions count that operators direct. Parts that read or fetch logs are told, and find them on disk at their start. */
export function expelSink(
  dataDir: string,
  deps: Pick<ExpulsionBookDeps, 'record' | 'onExpelled' | 'onFailure'>,
): DirectiveSinks['expel'] {
  const members = () => new Set(readMembership(dataDir, verifySignature)?.roster.members.map(({ key }) => key));
  const book = new ExpulsionBook({ ...deps, crypto: nodeCrypto, store: new ExpulsionFile(dataDir), members });
  book.start();
  return async ({ directive: { id, gateway, heads }, by, cause }): Promise<Outcome> => {
    await book.expel({ gateway, heads: heads.map(headFromText), directive: id, by, cause });
    return 'applied';
  };
}
