import type { RequestResult } from './gateway-requests.js';

/** By these a gateway has carried it out. */
const TAKEN: readonly RequestResult['outcome'][] = ['applied', 'unchanged'];
/** Where none has, what is said of it, the weightiest first. */
const ELSE: readonly RequestResult['outcome'][] = ['known', 'refused', 'elsewhere', 'expired', 'unheard'];

/**
 * What became of one directive that was given to several gateways: as soon as one has carried it out, or when all have
 * answered. Rejects as the first of them where it could be said to none; given to nobody, it is unheard.
 */
export async function firstTaken(asked: readonly Promise<RequestResult>[]): Promise<RequestResult> {
  const all = Promise.allSettled(asked);
  const taken = asked.map(async (each) => {
    const result = await each;
    if (!TAKEN.includes(result.outcome)) throw new Error(result.outcome);
    return result;
  });
  return Promise.any(taken).catch(async () => weightiest(await all));
}

function weightiest(settled: readonly PromiseSettledResult<RequestResult>[]): RequestResult {
  const results = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const [first] = results.sort((a, b) => ELSE.indexOf(a.outcome) - ELSE.indexOf(b.outcome));
  if (first !== undefined) return first;
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return { outcome: 'unheard' };
  throw failed.reason;
}
