import { X509Certificate } from 'node:crypto';
import { claimCodeText, isCodeOf, type ClaimCode, type LinkGrant } from '@sparc/protocol/enrolment';
import { ERRORS, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { httpsCall, type HttpAnswer } from './https-call.js';

/**
 * Claims this gateway at the cloud by a code, and returns its admission. The code is shown to the cloud that made it and to
 * nobody else: the root that the server names must fit the code, and the server's certificate lead to that root.
 * `request`: signed by the gateway, with a request for a certificate.
 * Throws ERR_CLAIM_CLOUD_UNTRUSTED, ERR_CLAIM_CLOUD_UNREACHED, or what the cloud refuses it with.
 */
export async function claim(address: URL, code: ClaimCode, request: Uint8Array): Promise<Uint8Array> {
  const root = bytesOf(await call(new URL('/api/v1/root', address), undefined), 'root');
  if (!isCodeOf(code, root)) {
    throw new SparcError('ERR_CLAIM_CLOUD_UNTRUSTED', `${address.host} shows a root that the claim code does not fit`);
  }
  const answer = await call(new URL('/api/v1/claim', address), root, {
    code: claimCodeText(code),
    request: Buffer.from(request).toString('base64'),
  });
  return bytesOf(answer, 'admission');
}

/**
 * A new certificate for the key of the request, with those between it and the root. An expired one keeps nobody from it: the
 * request is signed by the gateway's own key. Throws as `claim`.
 */
export async function renew(
  { renewalUrl, root, tenant }: LinkGrant,
  request: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const { certificates } = await call(new URL('/api/v1/renewal', renewalUrl), root, {
    tenant,
    request: Buffer.from(request).toString('base64'),
  });
  if (!Array.isArray(certificates)) throw unreached('it gave no certificates');
  return certificates.map((each) => decoded(each));
}

/** Node's names of what is wrong with a certificate; not that it is too early or too late, which may be the clock's fault here. */
const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_(SIGNATURE|UNTRUSTED|REJECTED|REVOKED)|INVALID_|HOSTNAME_|ERR_TLS_CERT_)/;

type Answer = Readonly<Record<string, unknown>>;

async function call(url: URL, root: Uint8Array | undefined, body?: object): Promise<Answer> {
  let answer: HttpAnswer;
  try {
    answer = await httpsCall(url, root && new X509Certificate(root).toString(), body);
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    if (UNTRUSTED.test(code)) {
      throw new SparcError('ERR_CLAIM_CLOUD_UNTRUSTED', `${url.host}: ${message}`, {}, { cause });
    }
    throw unreached(`${url.host}: ${message}`, cause);
  }
  const said = (typeof answer.body === 'object' && answer.body !== null ? answer.body : {}) as Answer;
  if (answer.status === 200) return said;
  if (isErrorCode(said['code'])) throw new SparcError(said['code'], `${url.host}: ${String(said['message'])}`);
  throw unreached(`${url.host} answered with status ${answer.status}`);
}

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code);

const bytesOf = (answer: Answer, name: string): Uint8Array => decoded(answer[name]);

function decoded(base64: unknown): Uint8Array {
  if (typeof base64 !== 'string' || base64 === '') throw unreached('it answered with something else');
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

const unreached = (message: string, cause?: unknown) =>
  new SparcError('ERR_CLAIM_CLOUD_UNREACHED', message, {}, { cause });
