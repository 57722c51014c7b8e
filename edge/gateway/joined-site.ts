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

/** Whom operators expel. Parts that read or fetch logs are told, and find them on disk at their start. */
export function expulsionBook(
  dataDir: string,
  deps: Pick<ExpulsionBookDeps, 'clock' | 'record' | 'onExpelled' | 'onFailure'>,
): ExpulsionBook {
  return new ExpulsionBook({ ...deps, crypto: nodeCrypto, store: new ExpulsionFile(dataDir) });
}

export interface DirectedSiteDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly journalOpened: Promise<JournalStartReport>;
  readonly expulsions: ExpulsionBook;
}

/** What it takes to carry out what operators of the site direct. */
export function directedSite(joined: JoinedSite, deps: DirectedSiteDeps): DirectedSite {
  const { dataDir, journalOpened, expulsions } = deps;
  const known = { ...joined, verify: verifySignature };
  return {
    ...known,
    store: new DirectiveFile(dataDir),
    expel: async ({ directive: { id, gateway, heads }, by, cause }): Promise<Outcome> => {
      await expulsions.expel({ gateway, heads: heads.map(headFromText), directive: id, by, cause });
      return 'applied';
    },
    given: async () => readDirectives(known, earlierEntries(deps, await journalOpened)),
  };
}
