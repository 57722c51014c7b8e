/** Macrotasks queued at once: with a turn of the event loop for each, those would take longer than most of what runs in them. */
const QUEUED_MAX = 64;

/** Resolves when no promise reaction is left to run: a macrotask starts only on an empty microtask queue. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Calls `act` until it returns false, each time when no promise reaction is left to run. Rejects with what it throws. */
export function whileSettled(act: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const one = () => {
      if (isOver) return;
      isOver = true;
      try {
        isOver = !act();
        if (isOver) resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const queue = (count: number) => {
      for (let queued = 0; queued < count; queued++) setImmediate(one);
      setImmediate(() => {
        if (!isOver) queue(Math.min(2 * count, QUEUED_MAX));
      });
    };
    queue(1);
  });
}
