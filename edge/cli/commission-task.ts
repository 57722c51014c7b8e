import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { Operation, TaskView } from '../commissioning/index.js';
import type { CommissionClient } from './commission-client.js';
import type { Output } from './output.js';

const LOOK_INTERVAL_MS = 100;

export interface TaskDeps {
  readonly client: CommissionClient;
  readonly clock: Clock;
  readonly output: Output;
}

/** Gives work a signal that Ctrl-C aborts, so that it ends in order; a second one changes nothing. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const onInterrupt = () => abort.abort();
  process.on('SIGINT', onInterrupt);
  try {
    return await work(abort.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/**
 * Runs an operation to its end, telling how far it is. The signal cancels it at the gateway, which ends it safely.
 * Throws what the gateway refused it for, or what it failed with.
 */
export async function runTask(
  deps: TaskDeps,
  operation: Operation,
  code: string,
  signal: AbortSignal,
): Promise<TaskView> {
  const { client, clock, output } = deps;
  const id = await client.start(operation, code);
  // It may have ended meanwhile: then its end is what is told.
  const cancel = () => void client.start({ kind: 'cancel', task: id }, code).catch(() => undefined);
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  for (;;) {
    const task = (await client.view()).tasks.find((known) => known.id === id);
    if (task === undefined) {
      throw new SparcError('ERR_COMMISSIONING_TASK_UNKNOWN', 'the gateway does not know the task any more');
    }
    if (task.state !== 'running') {
      output.progressEnd();
      if (task.state === 'done') return task;
      const { code: why = 'ERR_COMMISSIONING_CANCELLED', message = 'it was cancelled' } = task.error ?? {};
      throw new SparcError(why, message);
    }
    output.progress(`${Math.floor(task.progress * 100)} %  ${task.step}`.trimEnd(), task.progress);
    await new Promise<void>((resolve) => clock.setTimer(LOOK_INTERVAL_MS, resolve));
  }
}
