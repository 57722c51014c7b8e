import { SparcError } from '../errors/index.js';
import {
  bytes,
  EpochId,
  flag,
  HASH_BYTES,
  list,
  message,
  required,
  sequenceNumber,
  text,
  uint,
  type Infer,
} from '../ledger/index.js';
import type { Signer, VerifySignature } from '../ports/signer.js';
import { AUTHORS_MAX, BRANCHES_MAX } from '../replication/index.js';
import { openBody, signBody } from './signed-body.js';

/** An entry that the cloud has on its disk for good, and with it all that lead to it. */
export const StoredHead = message({
  author: required(1, bytes(32)),
  epoch: required(2, EpochId),
  sequence: required(3, sequenceNumber),
  hash: required(4, bytes(HASH_BYTES)),
});
export type StoredHead = Infer<typeof StoredHead>;

/** What the cloud holds of the logs of a site; by it gateways know what they need not keep. */
export const Acknowledgement = message({
  site: required(1, text(64)),
  /** By the cloud's clock. Of two, the later counts: a cloud that was restored from a backup holds less than before. */
  issuedUnixMs: required(2, uint(2 ** 48 - 1)),
  /** These are all that it holds, not only what it took last. */
  complete: required(3, flag),
  heads: list(4, StoredHead, AUTHORS_MAX * BRANCHES_MAX),
});
export type Acknowledgement = Infer<typeof Acknowledgement>;

/** `cloud`: the key that the cloud has for this site. */
export const signAcknowledgement = (cloud: Signer, acknowledgement: Acknowledgement): Uint8Array =>
  signBody(cloud, 'ack', Acknowledgement.encode(acknowledgement));

/** Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID unless the cloud signed it for this site. */
export function openAcknowledgement(
  verify: VerifySignature,
  cloudKey: Uint8Array,
  site: string,
  signed: Uint8Array,
): Acknowledgement {
  try {
    const opened = Acknowledgement.decode(openBody(verify, cloudKey, 'ack', signed));
    if (opened.site !== site) throw new Error(`it is of site ${opened.site}`);
    return opened;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SparcError('ERR_LINK_ACKNOWLEDGEMENT_INVALID', `no acknowledgement by the cloud: ${why}`, {}, { cause });
  }
}
