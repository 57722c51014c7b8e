import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import { toHex } from '../platform/index.js';
import type { Operation, TaskView } from './operations.js';

/** Tasks that ended and are still shown. */
export const TASKS_ENDED_MAX = 32;

export type TaskOperation = Exclude<Operation, { kind: 'cancel' }>;

/** What a task tells of itself while it runs. */
export type TaskReport = Partial<Pick<TaskView, 'step' | 'progress' | 'found' | 'file'>>;

/** Does the work; ends soon after the signal, and leaves nothing half done that it cannot name. */
export type TaskWork = (signal: AbortSignal, report: (report: TaskReport) => void) => Promise<void>;

export interface TaskHandlers {
  onStart(task: TaskView, operation: TaskOperation): void;
  onEnd(task: TaskView): void;
  onChange(): void;
}

interface Running {
  view: TaskView;
  readonly operation: TaskOperation;
  readonly abort: AbortController;
  work: Promise<void>;
}

/** Where a task works: two tasks that would disturb each other are not run together. */
export interface TaskPlace {
  readonly bus?: string;
  readonly device?: string;
}

/** Tasks that run, and the newest of those that ended. */
export class TaskList {
  readonly #running = new Map<string, Running>();
  #ended: readonly TaskView[] = [];

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    private readonly handlers: TaskHandlers,
  ) {}

  /** Newest first. */
  get views(): readonly TaskView[] {
    return [...[...this.#running.values()].map(({ view }) => view).reverse(), ...this.#ended];
  }

  /** Returns the id. Throws ERR_COMMISSIONING_BUSY. */
  start(operation: TaskOperation, operator: string, place: TaskPlace, work: TaskWork): string {
    for (const { view, operation: other } of this.#running.values()) {
      if (!disturbs(operation, place, other, view)) continue;
      const message = `${view.operator} runs ${view.kind} on ${view.device ?? view.bus} (task ${view.id})`;
      throw new SparcError('ERR_COMMISSIONING_BUSY', message, { task: view.id });
    }
    const id = toHex(this.deps.random.bytes(6));
    const startedAtUnixMs = this.deps.clock.wall().unixMs;
    const view: TaskView = {
      id,
      kind: operation.kind,
      operator,
      startedAtUnixMs,
      ...place,
      state: 'running',
      step: '',
      progress: 0,
    };
    const running = { view, operation, abort: new AbortController(), work: Promise.resolve() };
    this.#running.set(id, running);
    this.handlers.onStart(view, operation);
    running.work = this.#run(running, work);
    return id;
  }

  /** Throws ERR_COMMISSIONING_TASK_UNKNOWN. */
  cancel(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) throw new SparcError('ERR_COMMISSIONING_TASK_UNKNOWN', `no task ${id} runs`, { id });
    running.abort.abort(new SparcError('ERR_COMMISSIONING_CANCELLED', 'the task was cancelled'));
  }

  /** The reason is what the tasks show. */
  cancelAll(reason: SparcError): void {
    for (const { abort } of this.#running.values()) abort.abort(reason);
  }

  /** Resolves when every task that runs has ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ work }) => work));
  }

  async #run(running: Running, work: TaskWork): Promise<void> {
    const { signal } = running.abort;
    const update = (change: Partial<TaskView>) => {
      running.view = { ...running.view, ...change };
      this.handlers.onChange();
    };
    try {
      await work(signal, update);
      update({ state: 'done', progress: 1 });
    } catch (error) {
      update({
        state: signal.aborted ? 'cancelled' : 'failed',
        error: errorView(signal.aborted ? signal.reason : error),
      });
    }
    this.#running.delete(running.view.id);
    this.#ended = [running.view, ...this.#ended].slice(0, TASKS_ENDED_MAX);
    this.handlers.onEnd(running.view);
    this.handlers.onChange();
  }
}

function errorView(error: unknown): NonNullable<TaskView['error']> {
  if (isSparcError(error)) return { code: error.code, message: error.message };
  return { code: 'ERR_GATEWAY_INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

/** One capture a bus, whatever else goes on; identifying disturbs nothing; keys of different devices go side by side. */
function disturbs(operation: TaskOperation, place: TaskPlace, other: TaskOperation, at: TaskPlace): boolean {
  if (operation.kind === 'capture' || other.kind === 'capture')
    return operation.kind === other.kind && at.bus === place.bus;
  if (operation.kind === 'identify' || other.kind === 'identify') return false;
  if (operation.kind === 'setKey' && other.kind === 'setKey') return at.device === place.device;
  // A transfer names no bus of its own: its devices may hang on several.
  return at.bus === place.bus || at.bus === undefined || place.bus === undefined;
}
