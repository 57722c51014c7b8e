/**
 * Measures one population in a process of its own, so that memory and start are its own: opens the policy as a gateway
 * does, decides, and prints one line of JSON. Arguments: data directory, credentials, decisions.
 */
import { verify } from 'node:crypto';
import { decide, NO_LOCK_OUTS, type AccessRequest, type DecisionContext } from '@sparc/edge/access';
import { PassageBook } from '@sparc/edge/passages';
import { SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { RevocationBook, VOLATILE_REVOCATIONS } from '@sparc/edge/revocation';
import type { Clock } from '@sparc/protocol/ports';
import { percentile, timeEach } from './bench.js';
import {
  AREA_ID,
  accessPointId,
  answers,
  ANSWERS_COUNT,
  cardOf,
  NOON_UNIX_MS,
  presentation,
  publicKeyOf,
} from './decision-site.js';

export interface DecisionFigures {
  /** From the start of the process: Node, modules, verification, opening, one decision. */
  readonly firstDecisionMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly rssMb: number;
  readonly answers: string;
}

const [dataDir = '', credentials = '', decisions = ''] = process.argv.slice(2);
const credentialsCount = Number(credentials);
const decisionsCount = Number(decisions);

const publicKey = publicKeyOf(dataDir);
const { current, rejected } = verifyGeneration(dataDir, (message, signature) =>
  verify(null, message, publicKey, signature),
);
if (!current) throw rejected[0] ?? new Error('no generation');
const view = SqlitePolicyView.open(current.path, new Uint8Array(32));

/** Beside those who present their cards, so that the answers are those of the peers. */
const PEOPLE_INSIDE_COUNT = 500;
const REVOKED_COUNT = 1_000;
const peopleInside = Array.from({ length: PEOPLE_INSIDE_COUNT }, (_, index) => ({
  record: {
    name: 'area.moved' as const,
    holderId: `visitor-${index}`,
    accessPointId: accessPointId(0),
    detail: { to: AREA_ID, certain: 'true' },
  },
  atUnixMs: NOON_UNIX_MS - 3_600_000,
}));
const revoked = Array.from({ length: REVOKED_COUNT }, (_, index) => ({
  number: index + 1,
  subject: 'credential' as const,
  id: `gone-${index}`,
  by: 'bench',
  atUnixMs: NOON_UNIX_MS,
}));
/** Everything that the site asks for: who is where, who came how often, what was revoked, how dangerous it is. */
const clock: Clock = {
  wall: () => ({ unixMs: NOON_UNIX_MS, quality: 'synced' }),
  monotonicMs: () => 0,
  setTimer: () => ({ cancel: () => undefined }),
};
const passages = new PassageBook({ clock, record: () => undefined, peers: undefined, onFirstCard: () => undefined });
passages.configure(view.plan, view, view.plan);
passages.restore(peopleInside);
const revocations = new RevocationBook({
  clock,
  store: { ...VOLATILE_REVOCATIONS, load: () => ({ revocations: revoked }) },
  isAbsorbed: () => false,
  record: () => undefined,
  onFailure: () => undefined,
});
revocations.start();
const context: DecisionContext = {
  wall: clock.wall(),
  monotonicMs: 0,
  lockOuts: NO_LOCK_OUTS,
  secureChannelRequired: true,
  doorMode: 'locked',
  threatLevel: 1,
  policyAgeMs: 3_600_000,
  passages,
  revocations,
};
const requestOf = (credential: number, point: number): AccessRequest => ({
  accessPointId: accessPointId(point),
  card: cardOf(credential),
  link: { secure: true, tampered: false },
  readAgeMs: 20,
});
const requestAt = (index: number): AccessRequest => {
  const { credential, point } = presentation(index, credentialsCount);
  return requestOf(credential, point);
};

const first = decide(requestOf(0, 0), view, context);
const firstDecisionMs = performance.now();
if (first.credentialId === undefined) throw new Error('the first card is unknown');

const micros = timeEach(decisionsCount, 20_000, requestAt, (request) => decide(request, view, context));
const figures: DecisionFigures = {
  firstDecisionMs,
  p50Us: percentile(micros, 0.5),
  p99Us: percentile(micros, 0.99),
  rssMb: process.memoryUsage.rss() / 1e6,
  answers: answers(ANSWERS_COUNT, (index) => decide(requestAt(index), view, context).outcome === 'grant'),
};
console.log(JSON.stringify(figures));
view.close();
