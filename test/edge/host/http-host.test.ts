import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { isSparcError, type ErrorCode } from '@sparc/protocol/errors';
import { HttpHost, type HostQuestion } from '@sparc/edge/host';

const TOKEN = 'a-token-of-some-length';
const QUESTION: HostQuestion = {
  siteId: 'harbour',
  accessPointId: 'vault-in',
  doorId: 'vault',
  atUnixMs: Date.UTC(2026, 0, 5, 8),
  persons: [
    { credentialId: 'card-1', holderId: 'ann' },
    { credentialId: 'card-2', holderId: 'bob' },
  ],
};
const NEVER = new AbortController().signal;

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function hostThat(t: Test, answer: Answer): Promise<HttpHost> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString('utf8')));
    request.on('end', () => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new HttpHost({ url: `http://127.0.0.1:${port}/authorise`, token: TOKEN });
}

const says =
  (text: string, status = 200): Answer =>
  (_request, response) =>
    response.writeHead(status).end(text);

t.test('a question is one POST with the token, and no card value in it', async (t) => {
  const seen: unknown[] = [];
  const host = await hostThat(t, ({ method, url, headers }, response, body) => {
    seen.push([method, url, headers.authorization, headers['content-type'], JSON.parse(body)]);
    response.end('{"decision":"allow"}');
  });
  t.equal(await host.authorise(QUESTION, NEVER), 'allowed');
  t.same(seen, [
    [
      'POST',
      '/authorise',
      `Bearer ${TOKEN}`,
      'application/json',
      {
        site: 'harbour',
        accessPoint: 'vault-in',
        door: 'vault',
        at: '2026-01-05T08:00:00.000Z',
        persons: [
          { credential: 'card-1', holder: 'ann' },
          { credential: 'card-2', holder: 'bob' },
        ],
      },
    ],
  ]);
});

t.test('a refusal is one, and fields of a newer host do no harm', async (t) => {
  const host = await hostThat(t, says('{"decision":"deny","why":"no licence"}'));
  t.equal(await host.authorise(QUESTION, NEVER), 'denied');
});

const failures: readonly (readonly [what: string, answer: Answer, code: ErrorCode])[] = [
  ['an error', says('{"decision":"allow"}', 500), 'ERR_HOST_UNREACHABLE'],
  ['a wrong token', says('', 401), 'ERR_HOST_UNREACHABLE'],
  ['created', says('{"decision":"allow"}', 201), 'ERR_HOST_UNREACHABLE'],
  [
    'a redirect',
    (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
    'ERR_HOST_UNREACHABLE',
  ],
  ['a line that breaks', (request) => request.socket.destroy(), 'ERR_HOST_UNREACHABLE'],
  ['no JSON', says('allow'), 'ERR_HOST_MALFORMED'],
  ['another word', says('{"decision":"maybe"}'), 'ERR_HOST_MALFORMED'],
  ['a truth value', says('{"decision":true}'), 'ERR_HOST_MALFORMED'],
  ['nothing', says(''), 'ERR_HOST_MALFORMED'],
  ['too much', says(`{"decision":"allow","padding":"${'x'.repeat(5_000)}"}`), 'ERR_HOST_MALFORMED'],
];
for (const [what, answer, code] of failures) {
  t.test(`${what} is no answer`, async (t) => {
    const host = await hostThat(t, answer);
    await t.rejects(host.authorise(QUESTION, NEVER), { code });
  });
}

t.test('a host that nobody runs is unreachable, and no message shows the token', async (t) => {
  const host = new HttpHost({ url: 'http://127.0.0.1:9/authorise', token: TOKEN });
  const error: unknown = await host.authorise(QUESTION, NEVER).catch((failure: unknown) => failure);
  t.ok(isSparcError(error, 'ERR_HOST_UNREACHABLE'));
  t.notMatch(JSON.stringify(error) + String(error), TOKEN);
});

t.test('a question ends when nobody waits for its answer any more', async (t) => {
  const controller = new AbortController();
  const host = await hostThat(t, () => controller.abort());
  await t.rejects(host.authorise(QUESTION, controller.signal), { code: 'ERR_HOST_UNREACHABLE' });
});
