import { sparc } from './sparc-command.js';

/** What a test asks of the network namespace that this runs in. */
export type NamespaceRequest =
  | { readonly id: number; readonly kind: 'fetch'; readonly url: string }
  | { readonly id: number; readonly kind: 'sparc'; readonly args: readonly string[] };
export interface NamespaceAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

const FETCH_MAX_MS = 10_000;

async function answer(request: NamespaceRequest): Promise<unknown> {
  if (request.kind === 'sparc') return sparc(request.args);
  const response = await fetch(request.url, { signal: AbortSignal.timeout(FETCH_MAX_MS) });
  return response.text();
}

process.on('message', (request: NamespaceRequest) => {
  void answer(request).then(
    (value) => process.send?.({ id: request.id, value }),
    (error: unknown) => process.send?.({ id: request.id, error: String(error) }),
  );
});
// The namespace ends with its last process.
process.once('disconnect', () => process.exit(0));
process.send?.({ id: 0 });
