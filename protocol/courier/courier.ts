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
import { SignedRoster } from '../roster/index.js';
import { Pieces } from './pieces.js';
import { damaged, openStream, SALT_BYTES, sealStream } from './sealed-stream.js';

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

/** A courier that is read; `items` can be gone through once. */
export interface Courier {
  readonly opening: CourierOpening;
  /**
   * Each is as its maker wrote it, and to be verified as if a neighbour had sent it; that none is missing and who made
   * it shows at the end. Throws ERR_COURIER_DAMAGED, or ERR_COURIER_MAKER_UNKNOWN where the maker did not sign it.
   */
  readonly items: Iterable<CourierItem>;
}

/**
 * Logs and policy parts as a file, in pieces: signed by whoever makes it, for whoever has the site secret. Takes no more
 * memory than one item. `secret`: 32 bytes.
 */
export function writeCourier(
  { signer, random, crypto }: { readonly signer: Signer; readonly random: Random; readonly crypto: LedgerCrypto },
  secret: Uint8Array,
  opening: CourierOpening,
  items: Iterable<CourierItem>,
): Generator<Uint8Array, void> {
  return sealStream(secret, random.bytes(SALT_BYTES), recordsOf(signer, crypto, CourierOpening.encode(opening), items));
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
 * Opens a courier. `secrets`: of the site, the present one and those before that still count.
 * Throws ERR_COURIER_DAMAGED or ERR_COURIER_OTHER_SITE.
 */
export function readCourier(
  crypto: LedgerCrypto,
  secrets: readonly Uint8Array[],
  sealed: Iterable<Uint8Array>,
): Courier {
  const source = new Pieces(openStream(secrets, sealed));
  try {
    const encoded = unframed(source);
    const opening = decoded(() => CourierOpening.decode(encoded));
    return { opening, items: itemsOf(crypto, opening, firstLink(crypto, encoded), source) };
  } catch (error) {
    source.close();
    throw error;
  }
}

function* itemsOf(
  crypto: LedgerCrypto,
  opening: CourierOpening,
  first: Uint8Array,
  source: Pieces,
): Generator<CourierItem, void> {
  let chain = first;
  try {
    for (;;) {
      const encoded = unframed(source);
      const { batch, part, signature } = decoded(() => Record.decode(encoded));
      if (batch !== undefined) yield { batch };
      else if (part !== undefined) yield { part };
      else if (signature !== undefined) {
        if (!source.isAtEnd) throw damaged('there is something behind its end');
        return assertSigned(crypto, opening, chain, signature);
      }
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
