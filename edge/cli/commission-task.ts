import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { Operation, TaskView } from '../commissioning/index.js';
import type { CommissionClient } from './commission-client.js';
import type { Output } from './output.js';

const LOOK_INTERVAL_MS = 250;

export interface TaskDeps {
  readonly client: CommissionClient;
  readonly clock: Clock;
  readonly output: Output;
}

/**
 * Runs an operation to its end, telling how far it is. Ctrl-C ends it in order.
 * Throws what the gateway refused it for, or what it failed with.
 */
export async function runTask(deps: TaskDeps, operation: Operation, code: string): Promise<TaskView> {
  const { client } = deps;
  const id = await client.start(operation, code);
  const onInterrupt = () => void client.start({ kind: 'cancel', task: id }, code).catch(() => undefined);
  process.on('SIGINT', onInterrupt);
  try {
    return await followed(deps, id);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function followed({ client, clock, output }: TaskDeps, id: string): Promise<TaskView> {
  for (;;) {
    const task = (await client.view()).tasks.find((known) => known.id === id);
    if (task === undefined) throw new SparcError('ERR_COMMISSIONING_TASK_UNKNOWN', 'the gateway was started again');
    if (task.state === 'running') {
      output.progress(`${Math.floor(task.progress * 100)} %  ${task.step}`, task.progress);
      await new Promise<void>((resolve) => clock.setTimer(LOOK_INTERVAL_MS, resolve));
      continue;
    }
    output.progressEnd();
    if (task.state === 'done') return task;
    throw new SparcError(task.error?.code ?? 'ERR_COMMISSIONING_CANCELLED', task.error?.message ?? 'it was cancelled');
  }
}
