import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '@sparc/cloud-sync/broker';
import { nodeRandom } from '@sparc/edge/platform';
import { MqttLink } from '@sparc/edge/uplink/mqtt';
import { UP, type Carrier, type Up } from '@sparc/protocol/cloud-link';
import { keyAndRequest, openAuthorities } from '../../support/certificates.js';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { TcpRelay } from '../../support/tcp-relay.js';
import { cloudLinkContract } from './cloud-link-contract.js';

const WITHIN_MS = 60_000;
const pem = (der: Uint8Array) => new X509Certificate(der).toString();

cloudLinkContract('MQTT over mutual TLS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-link-'));
  const authorities = await openAuthorities(folder);
  const broker = new Broker(
    { isAdmitted: () => Promise.resolve(true), onRefused: () => undefined },
    { host: '127.0.0.1', port: 0, ...(await authorities.server(['127.0.0.1'])), rootPem: authorities.rootPem },
  );
  await broker.start();
  const relay = await TcpRelay.open(broker.port);
  const carrier: Carrier = {
    tenant: '00000000-0000-0000-0000-000000000001',
    site: 'harbour',
    gateway: '11'.repeat(32),
  };
  const heard: { what: Up; body: Uint8Array }[] = [];
  for (const what of UP) {
    await broker.hear(what, (_carrier, body) => heard.push({ what, body: Uint8Array.from(body) }));
  }
  const { keyPem, request } = keyAndRequest();
  const { chain } = await authorities.issue(carrier, request);
  const credentials = { keyPem, certificatesPem: chain.map(pem).join(''), rootPem: authorities.rootPem };
  let port = relay.port;
  const deps = {
    clock: systemClock,
    random: nodeRandom,
    credentials: () => ({ ...credentials, url: `mqtts://127.0.0.1:${port}` }),
  };
  const link = new MqttLink(deps, carrier);
  return {
    link,
    another: () => new MqttLink(deps, carrier),
    heard,
    say: (what, body) => void broker.say(carrier, what, body),
    cut: () => {
      // Nobody listens there.
      port = 1;
      relay.drop();
      return () => (port = relay.port);
    },
    until: (what, condition) => eventually(what, condition, WITHIN_MS),
    dispose: async () => {
      await link.stop();
      await relay.close();
      await broker.stop();
      rmSync(folder, { recursive: true });
    },
  };
});
