import { headFromText } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { DirectiveFile, readDirectives, type Outcome } from '../directives/index.js';
import type { DirectedSite, FieldLog } from '../field/index.js';
import { nodeCrypto, type JournalStartReport } from '../ledger/index.js';
import { ExpulsionBook, ExpulsionFile, readMembership, type ExpulsionBookDeps } from '../membership/index.js';
import { toHex, verifySignature } from '../platform/index.js';
import { earlierEntries } from './field-memory.js';

/** Of which site the gateway is a member. */
export interface JoinedSite {
  readonly site: string;
  /** Public key of its authority, in hex. */
  readonly authority: string;
}

/** Neighbours take entries of the site that all of them joined only; undefined where the gateway joined none. */
export function joinedSite(dataDir: string, policySite: string | undefined, log: FieldLog): JoinedSite | undefined {
  try {
    const membership = readMembership(dataDir, verifySignature);
    if (membership === undefined) return undefined;
    const { site } = membership.roster;
    if (policySite !== undefined && site !== policySite) {
      log.warn(
        { code: 'ERR_MESH_OTHER_SITE', joined: site, policySite },
        'the policy is of another site than the gateway joined',
      );
    }
    return { site, authority: toHex(membership.authority) };
  } catch (error) {
    log.warn({ error }, 'of which site the gateway is a member cannot be read');
    return undefined;
  }
}

export interface DirectedSiteDeps extends Pick<ExpulsionBookDeps, 'record' | 'onExpelled' | 'onFailure'> {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly journalOpened: Promise<JournalStartReport>;
}

/** What it takes to carry out what operators of the site direct. */
export function directedSite(joined: JoinedSite, deps: DirectedSiteDeps): DirectedSite {
  const { dataDir, journalOpened } = deps;
  const known = { ...joined, verify: verifySignature };
  return {
    ...known,
    store: new DirectiveFile(dataDir),
    expel: expelSink(deps),
    given: async () => readDirectives(known, earlierEntries(deps, await journalOpened)),
  };
}

/** Makes expulsions count that operators direct. Parts that read or fetch logs are told, and find them on disk at their start. */
function expelSink({ dataDir, record, onExpelled, onFailure }: DirectedSiteDeps): DirectedSite['expel'] {
  const members = () => new Set(readMembership(dataDir, verifySignature)?.roster.members.map(({ key }) => key));
  const store = new ExpulsionFile(dataDir);
  const book = new ExpulsionBook({ record, onExpelled, onFailure, crypto: nodeCrypto, store, members });
  book.start();
  return async ({ directive: { id, gateway, heads }, by, cause }): Promise<Outcome> => {
    await book.expel({ gateway, heads: heads.map(headFromText), directive: id, by, cause });
    return 'applied';
  };
}
