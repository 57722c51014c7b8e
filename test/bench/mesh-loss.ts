import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@sparc/simulator/live';
import { MeshNode } from '../support/mesh-node.js';
import { MeshSite } from '../support/mesh-site.js';
import type { BenchReport } from './bench.js';
import { RESULTS_FOLDER } from './machine.js';

const GATEWAYS = 3;
const TRIALS = 10;
/** Acknowledgements after which a gateway is killed, at most. */
const ACKNOWLEDGED_MAX = 40;
const CHILD = join(import.meta.dirname, 'mesh-loss-child.js');

interface Trial {
  /** Up to where the gateway knew its ledger on another one. */
  readonly acknowledged: number;
  /** Up to where the others have it, when it is gone. */
  readonly kept: number;
}

async function trial(killAfter: number): Promise<Trial> {
  const folder = mkdtempSync(join(RESULTS_FOLDER, 'mesh-loss-'));
  const ports: number[] = [];
  while (ports.length < GATEWAYS) ports.push(await freePort());
  const site = await MeshSite.create(GATEWAYS, undefined, ports);
  const [lost, ...others] = site.members;
  const nodes: MeshNode[] = [];
  try {
    for (const member of others) {
      const own = join(folder, member.key);
      mkdirSync(own);
      nodes.push(await MeshNode.start(site, member, own));
    }
    const child = fork(CHILD, [folder, ports.join()]);
    const closed = once(child, 'close');
    let acknowledged = 0;
    let heard = 0;
    child.on('message', (sequence: number) => {
      acknowledged = sequence;
      heard += 1;
      if (heard === killAfter) child.kill('SIGKILL');
    });
    await closed;
    const kept = nodes.map(({ store }) => store.logs().get(lost?.key ?? '')?.[0]?.head.sequence ?? 0);
    return { acknowledged, kept: Math.max(...kept) };
  } finally {
    for (const node of nodes) await node.stop();
    await site.close();
    rmSync(folder, { recursive: true });
  }
}

/** A gateway is killed while it records, and never comes back: whatever it knew on another one is there. */
export async function run(): Promise<BenchReport> {
  const trials: Trial[] = [];
  for (let index = 1; index <= TRIALS; index++)
    trials.push(await trial(Math.ceil((index * ACKNOWLEDGED_MAX) / TRIALS)));
  const lostCount = trials.reduce((sum, { acknowledged, kept }) => sum + Math.max(0, acknowledged - kept), 0);
  return {
    title: 'Loss of a gateway after an acknowledgement',
    method: [
      `${GATEWAYS} gateways over libp2p on loopback. One, in a process of its own, records hundreds of events a second and is killed (SIGKILL) right after it heard that others have its entries; it stays away. ${TRIALS} times.`,
    ],
    targets: [
      {
        what: 'acknowledged entries that nobody has',
        target: '0',
        measured: String(lostCount),
        met: lostCount === 0 && trials.every(({ acknowledged }) => acknowledged > 0),
      },
    ],
    tables: [
      {
        caption: 'Entries',
        columns: ['acknowledged up to', 'on another gateway up to'],
        rows: trials.map(({ acknowledged, kept }) => [acknowledged, kept]),
      },
    ],
  };
}
