import { type SitePlan, isTracked } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import { type PolicyView } from '../access/index.js';
import type { FieldDeps } from '../field/index.js';
import { readBack, type EntriesBack, type JournalStartReport } from '../ledger/index.js';
import { LinkageFile } from '../linkage/index.js';
import { lossClaim, readClaims } from '../passages/index.js';
import { readRevocations, RevocationFile } from '../revocation/index.js';
import { ModeFile, readMode } from '../site-mode/index.js';
import { VisitorFile } from '../visitors/index.js';

export interface EarlierEntriesDeps {
  readonly dataDir: string;
  readonly clock: Clock;
}

/** What runs before this one left in the journal. */
export function earlierEntries({ dataDir, clock }: EarlierEntriesDeps, { epoch }: JournalStartReport): EntriesBack {
  return readBack(dataDir, clock, { epoch: epoch.counter, sequence: 0 });
}

export interface FieldMemoryDeps extends EarlierEntriesDeps {
  readonly journalOpened: Promise<JournalStartReport>;
  /** At the start. */
  readonly plan: SitePlan | undefined;
  /** Of the policy in force. */
  readonly view: () => Pick<PolicyView, 'hasUseLimits'> | undefined;
}

/** What a field has from earlier runs, in files of its own and in the journal. */
export function fieldMemory(
  deps: FieldMemoryDeps,
): Pick<
  FieldDeps,
  'modeStore' | 'recordedMode' | 'revocationStore' | 'recordedRevocations' | 'visitorStore' | 'linkageStore' | 'claims'
> {
  const { dataDir, clock, journalOpened, plan, view } = deps;
  return {
    modeStore: new ModeFile(dataDir),
    recordedMode: async (which) => readMode(earlierEntries(deps, await journalOpened), which),
    revocationStore: new RevocationFile(dataDir),
    recordedRevocations: async () => {
      const report = await journalOpened;
      return { newest: report.newestRevocation, read: () => readRevocations(earlierEntries(deps, report)) };
    },
    visitorStore: new VisitorFile(dataDir),
    linkageStore: new LinkageFile(dataDir),
    claims: async () => {
      const report = await journalOpened;
      const nowUnixMs = clock.wall().unixMs;
      // Recorded in the new epoch, which is not read back.
      const lost = report.loss === undefined ? [] : [lossClaim(report.loss.code, nowUnixMs)];
      // Without a policy nobody knows of limits; one that comes later may have some.
      const withUses = view()?.hasUseLimits ?? true;
      const isNeeded = withUses || arePassagesCounted(plan);
      const claims = isNeeded ? await readClaims(earlierEntries(deps, report), { nowUnixMs, withUses }) : [];
      return [...claims, ...lost];
    },
  };
}

/** Whether anything in the plan depends on who passed where before. */
const arePassagesCounted = (plan: SitePlan | undefined): boolean =>
  plan !== undefined &&
  (plan.areas.some(isTracked) ||
    plan.accessPoints.some(({ reuseDelayMs }) => reuseDelayMs !== undefined) ||
    plan.doors.some(({ firstCard }) => firstCard !== undefined));
