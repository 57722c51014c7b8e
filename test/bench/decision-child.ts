/**
 * Measures one population in a process of its own, so that memory and start are its own: opens the policy as a gateway
 * does, decides, and prints one line of JSON. Arguments: data directory, credentials, decisions.
 */
import { verify } from 'node:crypto';
import { decide, NO_LOCK_OUTS, type AccessRequest, type DecisionContext } from '@sparc/edge/access';
import { SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { percentile, timeEach } from './bench.js';
import {
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

const context: DecisionContext = {
  wall: { unixMs: NOON_UNIX_MS, quality: 'synced' },
  monotonicMs: 0,
  lockOuts: NO_LOCK_OUTS,
  secureChannelRequired: true,
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
