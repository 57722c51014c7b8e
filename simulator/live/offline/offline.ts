import { join } from 'node:path';
import type { Demo, RunningDemo } from '../demo.js';
import { DEMO_GATEWAYS } from '../demo-gateways.js';
import { unixMsOf } from '../real-world.js';
import { DemoStage } from './demo-stage.js';
import type { JournalLine, OfflineHistory, ReplicaLine } from './offline-history.js';
import { offlineReport } from './offline-report.js';
import { playOffline } from './offline-scenario.js';
import { checkPromises } from './promises.js';

/** Enough for a queue at every door. */
const VISITORS_PER_DOOR = 12;

export interface OfflineOptions {
  readonly print: (line: string) => void;
  /** In the morning peak. */
  readonly visitorsPerDoor?: number;
}

/** Plays the scenario on a demo that runs and was made from `offlineSite`. True when no promise was broken. */
export async function runOffline(
  demo: Demo,
  running: RunningDemo,
  { print, visitorsPerDoor = VISITORS_PER_DOOR }: OfflineOptions,
): Promise<boolean> {
  const stage = new DemoStage(demo, running, print);
  await stage.isWired();
  await stage.agree();
  // An earlier play may have been broken off in its lockdown.
  await stage.direct('reception', 'release', '--all');
  await stage.agree();
  const fromUnixMs = Date.now();
  const times = await playOffline(stage, visitorsPerDoor);
  const history = {
    ...times,
    visits: stage.crowd.visits,
    ...(await recorded(demo, fromUnixMs)),
    releases: releases(running, fromUnixMs),
  };
  const promises = checkPromises(history);
  print(offlineReport(history, promises));
  return promises.every(({ violations }) => violations.length === 0);
}

function releases({ live }: RunningDemo, fromUnixMs: number): OfflineHistory['releases'] {
  return [...live.doors.values()].flatMap(({ id, lock }) =>
    lock.movements
      .filter(({ released }) => released)
      .map(({ atMs }) => ({ door: id, atUnixMs: unixMsOf(atMs) }))
      .filter(({ atUnixMs }) => atUnixMs >= fromUnixMs),
  );
}

/** What is on the disks of the gateways, as commands say that need none of them to run. */
async function recorded(
  { folder, runSparc }: Demo,
  fromUnixMs: number,
): Promise<Pick<OfflineHistory, 'journals' | 'whole' | 'replicas'>> {
  const journals = new Map<string, readonly JournalLine[]>();
  const whole = new Set<string>();
  const replicas = new Map<string, readonly ReplicaLine[]>();
  // What a command adds to a journal would be missing on the disks of the others: these add nothing.
  for (const { id } of DEMO_GATEWAYS) {
    const { path, configFile } = folder.gateway(id);
    const [said, exported, verified] = await Promise.all([
      runSparc('ledger', 'replicas', '--json', '--config', configFile),
      runSparc('ledger', 'export', '--journal', join(path, 'data', 'journal.db')),
      runSparc('ledger', 'verify', '--json', '--config', configFile),
    ]);
    replicas.set(id, JSON.parse(said) as ReplicaLine[]);
    const lines = exported
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JournalLine);
    journals.set(
      id,
      lines.filter(({ wallUnixMs }) => wallUnixMs >= fromUnixMs),
    );
    if ((JSON.parse(verified) as { ok: boolean }).ok) whole.add(id);
  }
  return { journals, whole, replicas };
}
