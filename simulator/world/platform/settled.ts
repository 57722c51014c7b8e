/** Resolves when no promise reaction is left to run: a macrotask starts only on an empty microtask queue. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
