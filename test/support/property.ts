import fc from 'fast-check';

/** One seed for every property of a run: `FC_SEED=n` overrides it; a failure prints it with the path of the case. */
export const FC_SEED = Number(process.env['FC_SEED'] ?? 20_260_101);

/** Checks a property with the seed of the run. Throws with the smallest counterexample. */
export function checkProperty<T>(property: fc.IProperty<T>, runsCount = 200): void {
  fc.assert(property, { seed: FC_SEED, numRuns: runsCount });
}

/** As {@link checkProperty}, for a property that waits. */
export async function checkAsyncProperty<T>(property: fc.IAsyncProperty<T>, runsCount = 200): Promise<void> {
  await fc.assert(property, { seed: FC_SEED, numRuns: runsCount });
}
