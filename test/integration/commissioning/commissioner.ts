import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  LOCAL_API_FILE,
  type CommissioningView,
  type LocalApi,
  type Operation,
  type TaskView,
} from '@sparc/edge/commissioning';
import type { LiveGateway } from '../../support/live-gateway.js';
import { eventually } from '../../support/peers.js';

/** A person with access to the gateway, over its API. */
export class Commissioner {
  #code = '';

  constructor(private readonly gateway: LiveGateway) {}

  async view(): Promise<CommissioningView> {
    await eventually('the API is served', () => this.gateway.isServing());
    return this.gateway.api<CommissioningView>('/api/commissioning');
  }

  async open(minutes = 30): Promise<void> {
    const path = join(this.gateway.dataDir, LOCAL_API_FILE);
    const localApi = () => JSON.parse(readFileSync(path, 'utf8')) as LocalApi;
    await this.view();
    const opened = await this.#post<{ code: string }>('window', { operator: 'Ada', minutes }, localApi().token);
    this.#code = opened.code;
  }

  /** Returns the id of the task. */
  async begin(operation: Operation): Promise<string> {
    return (await this.#post<{ task: string }>('operations', operation, this.#code)).task;
  }

  /** Resolves when the task has ended, however it ended. */
  async run(operation: Operation): Promise<TaskView> {
    return this.ended(await this.begin(operation));
  }

  async ended(id: string): Promise<TaskView> {
    let task: TaskView | undefined;
    await eventually(
      `task ${id} ends`,
      async () => {
        task = (await this.view()).tasks.find((each) => each.id === id);
        return task !== undefined && task.state !== 'running';
      },
      20_000,
    );
    if (task === undefined) throw new Error('unreachable');
    return task;
  }

  async keyState(deviceId: string): Promise<string | undefined> {
    return (await this.view()).devices.find(({ id }) => id === deviceId)?.key;
  }

  async #post<T>(path: string, body: unknown, secret: string): Promise<T> {
    const response = await fetch(`${this.gateway.apiUrl}/api/commissioning/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as T & { readonly code?: string };
    if (!response.ok) throw new Error(`${path}: ${answer.code}`);
    return answer;
  }
}
