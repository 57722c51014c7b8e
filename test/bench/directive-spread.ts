import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { directiveId, signDirective, type DirectiveContent, type SignedDirective } from '@sparc/protocol/directive';
import { freePort } from '@sparc/simulator/live';
import { testSigner } from '../support/test-signer.js';
import type { GiveOrder, Told } from './directive-spread-child.js';
import { percentile, type BenchReport } from './bench.js';
import { RESULTS_FOLDER } from './machine.js';

interface Setting {
  readonly gateways: number;
  /** Of the whole site, beside the directives. */
  readonly eventsPerSecond: number;
  readonly trials: number;
  readonly targetMs: number;
}

/**
 * A directive is recorded by every gateway, and each of these records is verified twice by all others, in the site process and in
 * the field: twice as many gateways are four times the work, all of it on one machine here.
 */
const SETTINGS: readonly Setting[] = [
  { gateways: 16, eventsPerSecond: 30, trials: 500, targetMs: 250 },
  { gateways: 32, eventsPerSecond: 8, trials: 300, targetMs: 500 },
];
const PROCESSES = 4;
const TRIAL_MAX_MS = 30_000;
const LINKED_MAX_MS = 120_000;
/** Between two trials, so that what one leaves behind is not in the next. */
const PAUSE_MS = 250;
const SITE = 'head-office';
/** The authority of a test site; its key has every right. */
const OPERATOR = testSigner(200);
const CHILD = join(import.meta.dirname, 'directive-spread-child.js');

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Given {
  readonly id: string;
  readonly signed: SignedDirective;
}

function directed(what: { kind: 'raise' } | { kind: 'release'; raise: string } | { kind: 'revoke' }): Given {
  const now = Date.now();
  const every = { v: 1, site: SITE, issuedUnixMs: now, expiresUnixMs: now + 60_000 } as const;
  const directive = (): DirectiveContent => {
    if (what.kind === 'raise') return { ...every, kind: 'raise', what: 'lockdown' };
    if (what.kind === 'release') return { ...every, kind: 'release', raises: [what.raise] };
    return { ...every, kind: 'revoke', subject: 'credential', subjectId: `card-${randomBytes(4).toString('hex')}` };
  };
  const signed = signDirective(OPERATOR, directive());
  return { id: directiveId(signed), signed };
}

/** A site that runs, and what its gateways tell. */
class Site {
  readonly #children: readonly ChildProcess[];
  readonly #recorded = new Map<string, Map<number, number>>();
  #givenMs = 0;
  #linkedCount = 0;
  #onTold: () => void = () => undefined;
  #failed: string | undefined;

  constructor(
    private readonly setting: Setting,
    folder: string,
    ports: readonly number[],
  ) {
    const intervalMs = (setting.gateways * 1_000) / setting.eventsPerSecond;
    this.#children = Array.from({ length: PROCESSES }, (_, at) => {
      const indexes = ports.flatMap((_port, index) => (index % PROCESSES === at ? [index] : []));
      const child = fork(CHILD, [folder, ports.join(), indexes.join(), String(intervalMs)]);
      child.on('message', (told: Told) => this.#take(told));
      child.on('exit', (code) => this.#fail(`a process of the site ended with ${code}`));
      return child;
    });
  }

  async linked(): Promise<void> {
    await this.#until(() => this.#linkedCount === PROCESSES, LINKED_MAX_MS);
  }

  /** Milliseconds until it was carried out and recorded on all gateways. */
  async give({ id, signed }: Given, gateway: number): Promise<number> {
    const order: GiveOrder = { gateway, signed };
    this.#children[gateway % PROCESSES]?.send(order);
    const recorded = new Map<number, number>();
    this.#recorded.set(id, recorded);
    await this.#until(() => recorded.size === this.setting.gateways, TRIAL_MAX_MS);
    this.#recorded.delete(id);
    return Math.max(...recorded.values()) - this.#givenMs;
  }

  stop(): void {
    for (const child of this.#children) child.removeAllListeners('exit').kill();
  }

  #take(told: Told): void {
    if (told.kind === 'linked') this.#linkedCount += 1;
    if (told.kind === 'given') this.#givenMs = told.atMs;
    if (told.kind === 'recorded') this.#recorded.get(told.directive)?.set(told.gateway, told.atMs);
    this.#onTold();
  }

  #fail(why: string): void {
    this.#failed = why;
    this.#onTold();
  }

  #until(isSo: () => boolean, maxMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#fail(`nothing came of it within ${maxMs} ms`), maxMs);
      this.#onTold = () => {
        if (this.#failed === undefined && !isSo()) return;
        clearTimeout(deadline);
        if (this.#failed === undefined) resolve();
        else reject(new Error(this.#failed));
      };
      this.#onTold();
    });
  }
}

type Kind = 'lockdown' | 'revocation';

async function measure(setting: Setting): Promise<Record<Kind, Float64Array>> {
  const folder = mkdtempSync(join(RESULTS_FOLDER, 'directive-spread-'));
  const ports: number[] = [];
  while (ports.length < setting.gateways) ports.push(await freePort());
  const site = new Site(setting, folder, ports);
  const took: Record<Kind, number[]> = { lockdown: [], revocation: [] };
  try {
    await site.linked();
    for (let trial = 0; trial < setting.trials; trial += 1) {
      const gateway = trial % setting.gateways;
      if (trial % 2 === 0) {
        const raise = directed({ kind: 'raise' });
        took.lockdown.push(await site.give(raise, gateway));
        await site.give(directed({ kind: 'release', raise: raise.id }), (gateway + 1) % setting.gateways);
      } else {
        took.revocation.push(await site.give(directed({ kind: 'revoke' }), gateway));
      }
      await wait(PAUSE_MS);
    }
  } finally {
    site.stop();
    rmSync(folder, { recursive: true });
  }
  return {
    lockdown: Float64Array.from(took.lockdown).sort(),
    revocation: Float64Array.from(took.revocation).sort(),
  };
}

interface Measured {
  readonly setting: Setting;
  readonly took: Record<Kind, Float64Array>;
}

/** A directive that one gateway is given, until all have carried it out and recorded that. */
export async function run(onPart: (report: BenchReport) => void): Promise<BenchReport> {
  const results: Measured[] = [];
  for (const setting of SETTINGS) {
    if (results.length > 0) onPart(reportOf(results));
    results.push({ setting, took: await measure(setting) });
  }
  return reportOf(results);
}

function reportOf(results: readonly Measured[]): BenchReport {
  const kinds: readonly Kind[] = ['lockdown', 'revocation'];
  const all = results.flatMap(({ setting, took }) =>
    kinds.map((kind) => ({ setting, kind, took: took[kind], p99: percentile(took[kind], 0.99) })),
  );
  return {
    title: 'A directive on all gateways of a site',
    method: [
      `All gateways of a site, linked over libp2p on loopback, in ${PROCESSES} processes; each with its journal, its replicas, the reader that verifies these, and a field. From the moment that an operator's directive reaches one of them until the last has carried it out and has the record of that on disk. Lockdowns and revocations in turn, at each gateway in turn, ${results.map(({ setting }) => `${setting.trials} trials with ${setting.gateways} gateways and ${setting.eventsPerSecond} other events a second together`).join(', ')}.`,
    ],
    targets: all.map(({ setting, kind, p99 }) => ({
      what: `${kind}, ${setting.gateways} gateways, p99`,
      target: `≤ ${setting.targetMs} ms`,
      measured: `${p99.toFixed(1)} ms`,
      met: p99 <= setting.targetMs,
    })),
    tables: [
      {
        caption: 'Milliseconds until the last gateway',
        columns: ['gateways', '', 'p50', 'p90', 'p99', 'max'],
        rows: all.map(({ setting, kind, took }) => [
          setting.gateways,
          kind,
          ...[0.5, 0.9, 0.99, 1].map((share) => percentile(took, share).toFixed(1)),
        ]),
      },
    ],
  };
}
