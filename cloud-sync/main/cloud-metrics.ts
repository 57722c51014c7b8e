import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { ErrorCode } from '@sparc/protocol/errors';
import type { PartHealth } from '../api/index.js';

/** What a process counts, for Prometheus. Nothing of it names a tenant. */
export class CloudMetrics {
  readonly #registry = new Registry();
  readonly #refusals = this.#counter(
    'sparc_cloud_refusals_total',
    'What was said to the cloud and not taken, by code',
    ['code'],
  );
  readonly #forks = this.#counter('sparc_cloud_forks_total', 'Authors that signed two histories');
  readonly #failures = this.#counter('sparc_cloud_failures_total', 'Work that failed and is done again', ['what']);
  readonly #requests = this.#counter('sparc_cloud_requests_total', 'Requests of the API, by status', ['status']);

  constructor(health: () => readonly PartHealth[]) {
    collectDefaultMetrics({ register: this.#registry });
    const up = new Gauge({
      name: 'sparc_cloud_part_up',
      help: '1: this part of the process works',
      labelNames: ['part'],
      registers: [this.#registry],
      collect: () => {
        for (const { name, problem } of health()) up.set({ part: name }, problem === undefined ? 1 : 0);
      },
    });
  }

  refused(code: ErrorCode): void {
    this.#refusals.inc({ code });
  }

  forked(): void {
    this.#forks.inc();
  }

  failed(what: string): void {
    this.#failures.inc({ what });
  }

  requested(status: number): void {
    this.#requests.inc({ status });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter(name: `sparc_${string}`, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
