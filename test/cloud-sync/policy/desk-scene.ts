import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AuthoritySource, SiteAuthorities } from '@sparc/cloud-sync/authority';
import { FileAuthorityKeys } from '@sparc/cloud-sync/identity';
import { nodeCrypto, nodePartTools, nodeRandom } from '@sparc/cloud-sync/platform';
import { DraftSecrets, PolicyDesk, PolicyDraft, type DeskDeps } from '@sparc/cloud-sync/policy';
import { EntryContent } from '@sparc/protocol/ledger';
import {
  EMPTY_COURSE,
  learn,
  readRevision,
  surveyParts,
  type PolicyCourse,
  type PolicyRevision,
} from '@sparc/protocol/policy-revision';
import type { EpochEnd } from '@sparc/protocol/replication';
import { VirtualClock } from '@sparc/simulator/world';
import { openEnrolment } from '../../support/cloud-enrolment.js';
import { draftScene, SECRET } from './draft-scene.js';

const scene = makeScene();

/** The same, whose sites have authorities that the cloud keeps. */
export const deskScene = () => scene;

async function makeScene() {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-policy-desk-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const unheard = () => Promise.resolve({ outcome: 'unheard' as const });
  const { database, tenant } = await draftScene();
  const clock = new VirtualClock({ startUnixMs: Date.now() });
  const newAuthorities = () =>
    new SiteAuthorities({
      clock,
      random: nodeRandom,
      crypto: nodeCrypto,
      database,
      keys: new FileAuthorityKeys(folder, nodeRandom),
      partTools: nodePartTools,
    });
  const authorities = newAuthorities();
  const source = new AuthoritySource(database);
  const enrolment = await openEnrolment(folder, { clock, random: nodeRandom, database, authorities });
  return {
    database,
    tenant,
    apiDeps: {
      ...{ clock, random: nodeRandom, database, sites: authorities, enrolment, secret: SECRET },
      requests: { direct: unheard, tryOut: unheard },
    },
    newSite: async (site: string) => {
      await authorities.create(tenant, { id: site, name: site });
      const authority = authorities.of(tenant, site);
      const secrets = new DraftSecrets(SECRET, { tenant, site });
      const deps: DeskDeps = { database, tenant, site, secrets, authority, source, partTools: nodePartTools };
      return {
        draft: new PolicyDraft(deps),
        desk: new PolicyDesk(deps),
        /** Of a process that has published nothing yet. */
        newDesk: () => new PolicyDesk({ ...deps, authority: newAuthorities().of(tenant, site) }),
        authority,
        ...readsOf(source, { tenant, site }),
      };
    },
  };
}

/** What a gateway reads of what the authority of a site has said. */
function readsOf(source: AuthoritySource, of: { readonly tenant: string; readonly site: string }) {
  const entries = async (): Promise<readonly EntryContent[]> => {
    const ends: EpochEnd[] = [];
    const contents: Uint8Array[] = [];
    for (;;) {
      const batches = await source.batches(of, ends);
      if (batches.length === 0) return contents.map((content) => EntryContent.decode(content));
      for (const batch of batches) {
        contents.push(...batch.contents);
        ends.push({ epoch: batch.epoch, sequence: batch.firstSequence + batch.contents.length - 1 });
      }
    }
  };
  return {
    entries,
    course: async (): Promise<PolicyCourse> => (await entries()).reduce(learn, EMPTY_COURSE),
    contentOf: async (revision: PolicyRevision) => {
      const parts = new Map<string, Uint8Array>();
      const store = { has: (hash: string) => parts.has(hash), get: (hash: string) => parts.get(hash) };
      for (;;) {
        const { missing } = surveyParts(nodePartTools, revision, store);
        if (missing.length === 0) return readRevision(nodePartTools, revision, store);
        for (const [hash, content] of await source.parts(of, missing)) parts.set(hash, content);
      }
    },
  };
}
