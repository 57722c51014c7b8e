import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';

const TOKEN = 'a-token-that-nobody-logs';
/** A little longer than the same card at the same reader is one presentation. */
const CARD_DEBOUNCE_MS = 2_500;

t.test('a real gateway asks a real host, and says on the record when it is gone', async (t) => {
  const asked: { readonly authorization: string | undefined; readonly body: string }[] = [];
  let answer = 'allow';
  const host = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString('utf8')));
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body });
      response.end(JSON.stringify({ decision: answer }));
    });
  });
  host.listen(0, '127.0.0.1');
  await once(host, 'listening');
  const stopHost = () => {
    host.closeAllConnections();
    host.close();
  };
  t.teardown(stopHost);
  const { port } = host.address() as AddressInfo;

  const accessPoint = { hostAuthorisation: { timeoutMs: 2_000, fallback: 'deny' as const } };
  const gateway = await LiveGateway.create({
    site: liveSiteFile([{ id: 'front', bus: 'bus-a', accessPoint }]),
    host: { url: `http://127.0.0.1:${port}/authorise`, token: TOKEN },
  });
  t.teardown(() => gateway.remove());
  await gateway.startOnline();

  const refused = (reason: string) =>
    gateway.presented('front-reader', 'card-1', reason, () => gateway.events.some((event) => event.reason === reason));

  await gateway.released('front', 'card-1');
  t.equal(asked[0]?.authorization, `Bearer ${TOKEN}`);
  t.match(JSON.parse(asked[0]?.body ?? ''), {
    site: 'live',
    accessPoint: 'front-in',
    door: 'front',
    persons: [{ credential: 'card-1', holder: 'ada' }],
  });
  t.notMatch(asked[0]?.body, /1000/, 'no card number leaves the gateway');

  answer = 'deny';
  await sleep(CARD_DEBOUNCE_MS);
  await refused('host_denied');

  stopHost();
  await sleep(CARD_DEBOUNCE_MS);
  await refused('host_timeout');
  await gateway.event(
    ({ name, code }) => name === 'host.unavailable' && code === 'ERR_HOST_UNREACHABLE',
    'and that is told',
  );
  t.notMatch(gateway.logText, TOKEN);
});
