import type { SecureContextOptions } from 'node:tls';
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Enrolment } from '../enrolment/index.js';
import { ServerCertificate, type CertificateAuthorities, type Credentials } from '../identity/index.js';
import { addressBlock, LoginPace } from '../users/index.js';
import { answers } from './guard.js';
import { newApp, type AppDeps } from './new-app.js';
import { closed, Uuid } from './schemas.js';

export interface GatewayApiDeps extends AppDeps {
  readonly enrolment: Enrolment;
  readonly certificates: CertificateAuthorities;
}

const BODY_BYTES_MAX = 32_768;

const Base64 = Type.String({ minLength: 1, maxLength: 16_384, pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const Root = closed({ root: Base64 });
const Claim = closed({ code: Type.String({ maxLength: 64 }), request: Base64 });
const Admission = closed({ admission: Type.String() });
const Renewal = closed({ tenant: Uuid, request: Base64 });
const Certificates = closed({ certificates: Type.Array(Type.String()) });

/**
 * What gateways reach without a certificate, and with one that has ended: they claim their place, and renew. Over TLS, with
 * a certificate below the root of the installation that names `hosts`; nobody logs in, every request is signed by its gateway.
 */
export async function buildGatewayApi(
  { clock, log, onAnswer, enrolment, certificates }: GatewayApiDeps,
  hosts: readonly string[],
): Promise<FastifyInstance> {
  const certificate = new ServerCertificate(
    { clock, certificates, onFailure: (error, what) => log.error({ err: error }, what) },
    hosts,
  );
  const credentials = await certificate.start((next) => api.server.setSecureContext(tls(next)));
  const api = newApp({ clock, log, onAnswer }, { bodyBytesMax: BODY_BYTES_MAX }, tls(credentials));
  api.addHook('onClose', async () => certificate.stop());
  const pace = new LoginPace(clock);
  const root = inBase64(enrolment.root);

  api.get('/api/v1/root', { schema: answers(Root) }, async () => ({ root }));
  api.post<{ Body: Static<typeof Claim> }>(
    '/api/v1/claim',
    { schema: { body: Claim, ...answers(Admission) } },
    async ({ ip, body: { code, request } }) => {
      const address = addressBlock(ip);
      if (pace.waitMs(address) > 0) throw new SparcError('ERR_CLAIM_TOO_FAST', 'too many wrong codes came from there');
      try {
        return { admission: inBase64(await enrolment.claim(code, Buffer.from(request, 'base64'))) };
      } catch (error) {
        if (isSparcError(error, 'ERR_CLAIM_CODE_UNKNOWN')) pace.failed(address);
        throw error;
      }
    },
  );
  api.post<{ Body: Static<typeof Renewal> }>(
    '/api/v1/renewal',
    { schema: { body: Renewal, ...answers(Certificates) } },
    async ({ body: { tenant, request } }) => {
      const chain = await enrolment.renew(tenant, Buffer.from(request, 'base64'));
      return { certificates: chain.map(inBase64) };
    },
  );
  return api;
}

const tls = ({ keyPem, certificatePem }: Credentials): SecureContextOptions => ({
  key: keyPem,
  cert: certificatePem,
  minVersion: 'TLSv1.2',
});

const inBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
