import { createHmac, timingSafeEqual } from 'node:crypto';
import { preSharedKey } from '@libp2p/pnet';
import type { AbortOptions, ConnectionProtector, MessageStream } from '@libp2p/interface';
import type { Random } from '@sparc/protocol/ports';
import { SITE_SECRETS_MAX, type SiteSecrets } from '@sparc/protocol/roster';
import { toHex } from '../platform/index.js';

const SALT_BYTES = 16;
const TAG_BYTES = 16;
const CALL_BYTES = SALT_BYTES + SITE_SECRETS_MAX * TAG_BYTES;

/**
 * libp2p's protection of a connection by a pre-shared key, for several keys. Its own handshake has no place where the two
 * ends could agree on one, and looks for no key before it sends. So the caller first shows which secrets it has:
 *
 *     caller   -> salt (16 bytes) ‖ 8 times tag(secret, "call", salt), newest first, or chance where it has fewer
 *     listener -> tag(secret, "answer", salt), of the newest of its own secrets that the caller has, or it hangs up
 *
 * with tag(secret, what, salt) = HMAC-SHA256(secret, "sparc/site-secret/1\0" ‖ what ‖ "\0" ‖ salt), its first 16 bytes.
 * It only keeps strangers out: who is at the other end, and that nobody is between, is proved by Noise and the session.
 */
export class SiteSecretProtector implements ConnectionProtector {
  constructor(
    private readonly secrets: () => SiteSecrets,
    private readonly random: Random,
  ) {}

  /** Throws when the two ends have no secret in common. */
  async protect(connection: MessageStream, options: AbortOptions = {}): Promise<MessageStream> {
    const isCalled = connection.direction === 'inbound';
    const secret = await (isCalled ? this.#answer(connection, options) : this.#call(connection, options));
    return preSharedKey({ psk: swarmKeyOf(secret) })().protect(connection, options);
  }

  async #call(connection: MessageStream, options: AbortOptions): Promise<Uint8Array> {
    const { present, previous } = this.secrets();
    const salt = this.random.bytes(SALT_BYTES);
    const own = [present, ...previous].slice(0, SITE_SECRETS_MAX);
    const tags = own.map((secret) => tag(secret, 'call', salt));
    const chance = this.random.bytes((SITE_SECRETS_MAX - own.length) * TAG_BYTES);
    connection.send(Buffer.concat([salt, ...tags, chance]));
    const answer = await readBytes(connection, TAG_BYTES, options);
    return agreed(own, (secret) => timingSafeEqual(answer, tag(secret, 'answer', salt)));
  }

  async #answer(connection: MessageStream, options: AbortOptions): Promise<Uint8Array> {
    const { present, previous } = this.secrets();
    const call = await readBytes(connection, CALL_BYTES, options);
    const salt = call.subarray(0, SALT_BYTES);
    const tags = Array.from({ length: SITE_SECRETS_MAX }, (_, at) =>
      call.subarray(SALT_BYTES + at * TAG_BYTES, SALT_BYTES + (at + 1) * TAG_BYTES),
    );
    const secret = agreed([present, ...previous], (each) => {
      const own = tag(each, 'call', salt);
      return tags.some((shown) => timingSafeEqual(own, shown));
    });
    connection.send(tag(secret, 'answer', salt));
    return secret;
  }
}

/** Names a secret to those who have it: 16 bytes. */
export const secretIdOf = (secret: Uint8Array): Uint8Array => tag(secret, 'name', new Uint8Array());

function agreed(own: readonly Uint8Array[], isShared: (secret: Uint8Array) => boolean): Uint8Array {
  const secret = own.find((each) => isShared(each));
  if (secret === undefined) throw new Error('no site secret in common');
  return secret;
}

const tag = (secret: Uint8Array, what: 'call' | 'answer' | 'name', salt: Uint8Array): Uint8Array =>
  createHmac('sha256', secret).update(`sparc/site-secret/1\0${what}\0`).update(salt).digest().subarray(0, TAG_BYTES);

/** So many bytes and not one more. Throws when the connection ends before, or the signal does. */
async function readBytes(connection: MessageStream, length: number, { signal }: AbortOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    const ended = () => settle(new Error('hung up on'));
    const take = ({ data }: { readonly data: { readonly byteLength: number; subarray(): Uint8Array } }) => {
      chunks.push(data.subarray());
      received += data.byteLength;
      if (received >= length) settle();
    };
    const settle = (error?: Error) => {
      connection.removeEventListener('message', take);
      connection.removeEventListener('close', ended);
      connection.removeEventListener('remoteCloseWrite', ended);
      signal?.removeEventListener('abort', ended);
      if (error === undefined) resolve();
      else reject(error);
    };
    connection.addEventListener('close', ended);
    connection.addEventListener('remoteCloseWrite', ended);
    signal?.addEventListener('abort', ended);
    connection.addEventListener('message', take);
    if (connection.status !== 'open' || signal?.aborted === true) ended();
  });
  const all = Buffer.concat(chunks);
  if (all.length > length) connection.unshift(all.subarray(length));
  return all.subarray(0, length);
}

/** As libp2p's pnet wants it (go-libp2p swarm key, version 1). */
const swarmKeyOf = (secret: Uint8Array): Uint8Array =>
  new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${toHex(secret)}`);
