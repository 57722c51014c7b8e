import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { Signer } from '../ports/signer.js';
import { bytes, text } from './codecs.js';
import { headMessage, type LedgerCrypto } from './crypto.js';
import { EpochId, HASH_BYTES, sequenceNumber } from './entry.js';
import { malformed, message, required, type Infer } from './message.js';

const headFields = {
  /** Id of the site file; empty before a gateway has one. */
  site: required(1, text(64)),
  author: required(2, bytes(32)),
  epoch: required(3, EpochId),
  sequence: required(4, sequenceNumber),
  hash: required(5, bytes(HASH_BYTES)),
};

/** The newest entry of a log; through the chain of hashes it stands for all before it. */
export const Head = message(headFields);
export type Head = Infer<typeof Head>;

/** A head with the author's Ed25519 signature: one closes every commit, nothing is accepted before one covers it. */
export const SignedHead = message({ ...headFields, signature: required(6, bytes(64)) });
export type SignedHead = Infer<typeof SignedHead>;

export function signHead(signer: Signer, head: Head): SignedHead {
  return { ...head, signature: signer.sign(headMessage(Head.encode(head))) };
}

export function isSignatureValid(crypto: LedgerCrypto, head: SignedHead): boolean {
  return crypto.verify(head.author, headMessage(Head.encode(head)), head.signature);
}

/** Where an entry stands in the log of its author. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

export const positionOf = (head: Head): Position => ({ epoch: head.epoch.counter, sequence: head.sequence });

/** Negative, zero or positive, as `a` is before, at or after `b` in the log of one author. */
export const comparePositions = (a: Position, b: Position) => a.epoch - b.epoch || a.sequence - b.sequence;

/** One line of JSON, to be kept on paper, in a file or with a third party as a witness of how far the log went. */
export function headToText(head: SignedHead): string {
  const text: TextHead = {
    site: head.site,
    author: bytesToHex(head.author),
    epoch: { counter: head.epoch.counter, random: bytesToHex(head.epoch.random) },
    sequence: head.sequence,
    hash: bytesToHex(head.hash),
    signature: bytesToHex(head.signature),
  };
  return JSON.stringify(text);
}

/** Reads what `headToText` wrote. Throws ERR_LEDGER_MALFORMED; the signature is not looked at. */
export function headFromText(line: string): SignedHead {
  try {
    const head = JSON.parse(line) as TextHead;
    return SignedHead.decode(
      SignedHead.encode({
        site: head.site,
        author: hexToBytes(head.author),
        epoch: { counter: head.epoch.counter, random: hexToBytes(head.epoch.random) },
        sequence: head.sequence,
        hash: hexToBytes(head.hash),
        signature: hexToBytes(head.signature),
      }),
    );
  } catch (error) {
    throw malformed('not the text of a signed head', error);
  }
}

interface TextHead {
  readonly site: string;
  readonly author: string;
  readonly epoch: { readonly counter: number; readonly random: string };
  readonly sequence: number;
  readonly hash: string;
  readonly signature: string;
}
