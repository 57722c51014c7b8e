import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import {
  Batch,
  bytes,
  hex,
  message,
  optional,
  required,
  text,
  uint,
  type Infer,
  type LedgerCrypto,
} from '../ledger/index.js';
import type { Random } from '../ports/random.js';
import type { Signer } from '../ports/signer.js';
import { SignedRoster, type SiteSecrets } from '../roster/index.js';
import { Pieces } from './pieces.js';
import { CHANCE_BYTES, damaged, openStream, sealStream } from './sealed-stream.js';

/** Of one batch or part in a courier: what fits into a message of the mesh fits into one. */
export const RECORD_BYTES_MAX = 1_114_112;
const LENGTH_BYTES = 4;

/** What a courier says of itself, as a neighbour does when it is met. */
export const CourierOpening = message({
  site: required(1, text(64)),
  /** Public key of the gateway or authority that made and signed it, in hex. */
  maker: required(2, hex(32)),
  madeUnixMs: required(3, uint(2 ** 48 - 1)),
  /** The newest roster of whoever made it: a maker that is new at the site is known by it. */
  roster: required(4, SignedRoster),
});
export type CourierOpening = Infer<typeof CourierOpening>;

const Record = message({
  batch: optional(1, Batch),
  /** Of a policy revision; named by the SHA-256 of these bytes. */
  part: optional(2, bytes(1, RECORD_BYTES_MAX)),
  /** Ends it: the signature over all before. */
  signature: optional(3, bytes(64)),
});

/** Entries of any author's log, or a part of a policy revision. Both prove themselves, whoever carries them. */
export type CourierItem = { readonly batch: Batch } | { readonly part: Uint8Array };

/**
 * Logs and policy parts as a file, in pieces: signed by whoever makes it, for whoever has the site secret. Takes no more
 * memory than one item.
 */
export function writeCourier(
  { signer, random, crypto }: { readonly signer: Signer; readonly random: Random; readonly crypto: LedgerCrypto },
  secrets: SiteSecrets,
  opening: CourierOpening,
  items: Iterable<CourierItem>,
): Generator<Uint8Array, void> {
  return sealStream(
    secrets,
    random.bytes(CHANCE_BYTES),
    recordsOf(signer, crypto, CourierOpening.encode(opening), items),
  );
}

function* recordsOf(
  signer: Signer,
  crypto: LedgerCrypto,
  opening: Uint8Array,
  items: Iterable<CourierItem>,
): Generator<Uint8Array, void> {
  yield framed(opening);
  let chain = firstLink(crypto, opening);
  for (const item of items) {
    const record = Record.encode(item);
    if (record.length > RECORD_BYTES_MAX)
      throw new RangeError(`${record.length} bytes, where ${RECORD_BYTES_MAX} may be`);
    yield framed(record);
    chain = nextLink(crypto, chain, record);
  }
  yield framed(Record.encode({ signature: signer.sign(signedBytes(chain)) }));
}

/**
 * The items of a courier, each as its maker wrote it and to be verified as if a neighbour had sent it; that none is missing
 * and who made it shows only at the end. `secrets`: of the site, the present one and those before that still count.
 * `admit` is called before the first item and throws where the maker's are not wanted.
 * Throws ERR_COURIER_DAMAGED, ERR_COURIER_OTHER_SITE, ERR_COURIER_MAKER_UNKNOWN where the maker did not sign it, and what
 * `admit` and the source throw.
 */
export function* readCourier(
  crypto: LedgerCrypto,
  secrets: readonly Uint8Array[],
  sealed: Iterable<Uint8Array>,
  admit: (opening: CourierOpening) => void,
): Generator<CourierItem, void> {
  const source = new Pieces(openStream(secrets, sealed));
  try {
    const first = unframed(source);
    const opening = decoded(() => CourierOpening.decode(first));
    admit(opening);
    for (let chain = firstLink(crypto, first); ;) {
      const encoded = unframed(source);
      const { batch, part, signature } = decoded(() => Record.decode(encoded));
      if (signature !== undefined) {
        if (!source.isAtEnd) throw damaged('there is something behind its end');
        return assertSigned(crypto, opening, chain, signature);
      }
      if (batch === undefined && part === undefined) throw damaged('something in it holds nothing');
      if (batch !== undefined) yield { batch };
      if (part !== undefined) yield { part };
      chain = nextLink(crypto, chain, encoded);
    }
  } finally {
    source.close();
  }
}

function assertSigned(crypto: LedgerCrypto, { maker }: CourierOpening, chain: Uint8Array, signature: Uint8Array): void {
  if (crypto.verify(hexToBytes(maker), signedBytes(chain), signature)) return;
  throw new SparcError('ERR_COURIER_MAKER_UNKNOWN', `${maker} did not sign it`, { maker });
}

const DOMAIN = utf8ToBytes('sparc/courier/1\0');
const signedBytes = (chain: Uint8Array) => concatBytes(DOMAIN, chain);
const firstLink = ({ sha256 }: LedgerCrypto, opening: Uint8Array) => sha256(concatBytes(DOMAIN, opening));
const nextLink = ({ sha256 }: LedgerCrypto, chain: Uint8Array, record: Uint8Array) =>
  sha256(concatBytes(chain, record));

function framed(record: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + record.length);
  new DataView(frame.buffer).setUint32(0, record.length);
  frame.set(record, LENGTH_BYTES);
  return frame;
}

function unframed(source: Pieces): Uint8Array {
  const prefix = source.take(LENGTH_BYTES);
  if (prefix.length < LENGTH_BYTES) throw damaged('it has no end');
  const length = new DataView(prefix.buffer).getUint32(0);
  if (length > RECORD_BYTES_MAX) throw damaged(`something in it has ${length} bytes`);
  const record = source.take(length);
  if (record.length < length) throw damaged('it has no end');
  return record;
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
}
