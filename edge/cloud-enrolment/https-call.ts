import { request, type RequestOptions } from 'node:https';

const ANSWER_BYTES_MAX = 262_144;
const CALL_MAX_MS = 20_000;

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * One call over TLS: POST where there is a body, else GET. `ca`: what the server's certificate must lead to; undefined: it is
 * looked at by nobody, so nothing is to be said or believed. Rejects with what stood in the way.
 */
export function httpsCall(url: URL, ca: string | undefined, body?: object): Promise<HttpAnswer> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const options: RequestOptions = {
    method: content === undefined ? 'GET' : 'POST',
    headers: content === undefined ? {} : { 'content-type': 'application/json' },
    timeout: CALL_MAX_MS,
    agent: false,
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca, rejectUnauthorized: true }),
  };
  return new Promise((resolve, reject) => {
    const call = request(url, options, (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) call.destroy(new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      answer.on('error', reject);
      answer.on('end', () => {
        try {
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown });
        } catch {
          reject(new Error(`status ${answer.statusCode ?? 0} and no JSON`));
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer in ${CALL_MAX_MS / 1_000} s`)));
    call.on('error', reject);
    call.end(content);
  });
}
