import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { AuthorisationHost, HostQuestion } from './authorisation-host.js';

const Answer = Type.Object({ decision: Type.Union([Type.Literal('allow'), Type.Literal('deny')]) });

/** An answer is a few dozen bytes. */
export const HOST_ANSWER_SIZE_MAX = 4_096;

export interface HttpHostOptions {
  readonly url: string;
  readonly token: string;
}

/**
 * A host behind HTTP: each question is one POST of JSON with a bearer token, the answer `{ "decision": "allow" | "deny" }`.
 * Everything else, a redirect included, is no answer.
 */
export class HttpHost implements AuthorisationHost {
  constructor(private readonly options: HttpHostOptions) {}

  async authorise(question: HostQuestion, signal: AbortSignal): Promise<'allowed' | 'denied'> {
    const text = await this.#post(JSON.stringify(bodyOf(question)), signal);
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      answer = undefined;
    }
    if (!Value.Check(Answer, answer)) {
      throw new SparcError('ERR_HOST_MALFORMED', 'the host answered something else than allow or deny');
    }
    return answer.decision === 'allow' ? 'allowed' : 'denied';
  }

  async #post(body: string, signal: AbortSignal): Promise<string> {
    const { url, token } = this.options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          // Unpacking would use the threads that serial lines are read with.
          'accept-encoding': 'identity',
        },
        body,
        redirect: 'error',
        signal,
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new SparcError('ERR_HOST_UNREACHABLE', `the host answered with status ${response.status}`);
      }
      return await readText(response);
    } catch (error) {
      if (error instanceof SparcError) throw error;
      throw new SparcError('ERR_HOST_UNREACHABLE', 'the host could not be asked', {}, { cause: error });
    }
  }
}

/** The contract with the host: names are stable. */
function bodyOf({ siteId, accessPointId, doorId, atUnixMs, persons }: HostQuestion) {
  return {
    site: siteId,
    accessPoint: accessPointId,
    door: doorId,
    at: new Date(atUnixMs).toISOString(),
    persons: persons.map(({ credentialId, holderId }) => ({ credential: credentialId, holder: holderId })),
  };
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > HOST_ANSWER_SIZE_MAX)
      throw new SparcError('ERR_HOST_MALFORMED', 'the host answered at too great length');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
