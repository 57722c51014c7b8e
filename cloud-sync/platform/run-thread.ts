import { Worker } from 'node:worker_threads';

export interface ThreadOptions {
  /** What it finds as `workerData`. */
  readonly data: unknown;
  readonly timeMaxMs: number;
  /** Of its old generation. */
  readonly heapMaxMb: number;
}

/**
 * Runs a program in a thread of its own, which keeps nobody waiting here, and returns what it posted; or which of its bounds
 * ended it. Throws what the thread did not catch.
 */
export function runThread<T>(
  program: URL,
  { data, timeMaxMs, heapMaxMb }: ThreadOptions,
): Promise<readonly T[] | 'time' | 'memory'> {
  return new Promise((resolve, reject) => {
    const posted: T[] = [];
    const worker = new Worker(program, { workerData: data, resourceLimits: { maxOldGenerationSizeMb: heapMaxMb } });
    const timer = setTimeout(() => {
      resolve('time');
      void worker.terminate();
    }, timeMaxMs);
    worker.on('message', (message: T) => posted.push(message));
    worker.on('messageerror', reject);
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve('memory');
      else reject(error);
    });
    worker.on('exit', () => {
      clearTimeout(timer);
      resolve(posted);
    });
  });
}
