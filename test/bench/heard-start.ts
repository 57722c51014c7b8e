import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FollowedReplicas, HeardReader } from '@sparc/edge/heard';
import { nodeCrypto } from '@sparc/edge/ledger';
import { createNodeClock, toHex } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import {
  encodeEvent,
  EntryContent,
  EPOCH_KIND,
  EpochBody,
  EVENT_KIND,
  hashEntry,
  NO_HASH,
  signHead,
  type ChainedEntry,
} from '@sparc/protocol/ledger';
import type { EventRecord } from '@sparc/protocol/events';
import type { ReplicaAppend, Signer } from '@sparc/protocol/ports';
import type { Roster } from '@sparc/protocol/roster';
import { testSigner } from '../support/test-signer.js';
import { percentile, type BenchReport } from './bench.js';
import { RESULTS_FOLDER } from './machine.js';

const AUTHORS = 15;
const ENTRIES = 350_000;
/** As a gateway at 2 events a second commits them, mostly. */
const COMMIT_ENTRIES = 2;
/** Every tenth concerns other gateways. */
const HEARD_SHARE = 10;
const SITE = 'harbour';
const START_TARGET_MS = 30_000;
const PIECE_TARGET_MS = 20;

const moved: EventRecord = { name: 'area.moved', holderId: 'ada', detail: { from: 'yard', to: 'hall', how: 'used' } };
const opened: EventRecord = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(149) } };
const bodies = { heard: encodeEvent(moved), other: encodeEvent(opened) };

function writeLog(store: SqliteReplicaStore, signer: Signer, count: number): void {
  const author = signer.publicKey;
  const epoch = { counter: 1, random: new Uint8Array(8).fill(1) };
  const appends: ReplicaAppend[] = [];
  let previousHash: Uint8Array = NO_HASH;
  for (let sequence = 1; sequence <= count;) {
    const entries: ChainedEntry[] = [];
    for (; entries.length < COMMIT_ENTRIES && sequence <= count; sequence += 1) {
      const isFirst = sequence === 1;
      const wallUnixMs = 1_767_600_000_000 + sequence;
      const event = sequence % HEARD_SHARE === 0 ? bodies.heard : bodies.other;
      const content = EntryContent.encode({
        kind: isFirst ? EPOCH_KIND : EVENT_KIND,
        hlc: { unixMs: wallUnixMs, counter: 0 },
        wallUnixMs,
        timeQuality: 'synced',
        body: isFirst ? EpochBody.encode({ predecessorLost: false }) : event,
      });
      previousHash = hashEntry(nodeCrypto, { author, epoch, sequence, previousHash }, content);
      entries.push({ epoch, sequence, hash: previousHash, content });
    }
    const head = signHead(signer, { site: SITE, author, epoch, sequence: sequence - 1, hash: previousHash });
    appends.push({ entries, head });
  }
  // One flush for all.
  store.append(appends, []);
}

/** What a gateway reads of the others when it starts. */
export async function run(): Promise<BenchReport> {
  const folder = mkdtempSync(join(RESULTS_FOLDER, 'heard-start-'));
  try {
    const path = join(folder, REPLICA_FILE);
    const signers = Array.from({ length: AUTHORS }, (_, at) => testSigner(at + 2));
    const store = SqliteReplicaStore.open(path);
    for (const signer of signers) writeLog(store, signer, Math.floor(ENTRIES / AUTHORS));
    store.close();
    const roster: Roster = {
      site: SITE,
      epoch: 1,
      issuedUnixMs: 0,
      notAfterUnixMs: 0,
      members: signers.map(({ publicKey }, at) => ({ key: toHex(publicKey), name: `gateway-${at}`, addresses: [] })),
      expelled: [],
    };
    return await Promise.resolve(report(path, roster));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(path: string, roster: Roster): BenchReport {
  const startMs = performance.now();
  const logs = new FollowedReplicas(path);
  logs.look();
  const reader = new HeardReader({
    clock: createNodeClock(),
    crypto: nodeCrypto,
    logs,
    self: '',
    ownLog: () => [],
    authority: testSigner(200).publicKey,
    roster,
    expulsions: [],
    onRefused: (_author, error) => {
      throw error;
    },
  });
  const pieces: number[] = [];
  let heardCount = 0;
  for (let isBehind = true; isBehind;) {
    const beforeMs = performance.now();
    const { heard } = reader.read();
    pieces.push(performance.now() - beforeMs);
    heardCount += heard?.entries.length ?? 0;
    isBehind = heard?.behind.length !== 0;
  }
  const tookMs = performance.now() - startMs;
  logs.close();
  const ascending = Float64Array.from(pieces).sort();
  const piece = percentile(ascending, 0.99);
  return {
    title: 'What other gateways said, read anew at a start',
    method: [
      `The replicas of ${AUTHORS} gateways with ${ENTRIES} entries together, a signed head over every ${COMMIT_ENTRIES}, one of ${HEARD_SHARE} of a kind that a field takes; read, verified and decoded as the replica thread does. ${heardCount} were told.`,
    ],
    targets: [
      {
        what: 'all is read',
        target: `≤ ${START_TARGET_MS / 1_000} s`,
        measured: `${(tookMs / 1_000).toFixed(1)} s`,
        met: tookMs <= START_TARGET_MS,
      },
      {
        what: 'a piece, for which a directive waits, p99',
        target: `≤ ${PIECE_TARGET_MS} ms`,
        measured: `${piece.toFixed(1)} ms`,
        met: piece <= PIECE_TARGET_MS,
      },
    ],
    tables: [
      {
        caption: 'Milliseconds a piece',
        columns: ['pieces', 'p50', 'p99', 'max'],
        rows: [[pieces.length, ...[0.5, 0.99, 1].map((share) => percentile(ascending, share).toFixed(1))]],
      },
    ],
  };
}
