import { SparcError } from '../errors/index.js';
import { hashEntry, type LedgerCrypto } from './crypto.js';
import { EntryContent, NO_HASH, type EpochId } from './entry.js';
import { EPOCH_KIND, EpochBody, type EpochBody as EpochBodyValue } from './epoch-body.js';

/** An entry as it is stored and sent: where it stands, what it says, and its hash. */
export interface ChainedEntry {
  readonly epoch: EpochId;
  readonly sequence: number;
  readonly hash: Uint8Array;
  /** Bytes of an EntryContent. */
  readonly content: Uint8Array;
}

/** Where a chain stands: the last entry that was accepted. */
export type Link = Omit<ChainedEntry, 'content'>;

export interface ChainStep {
  readonly link: Link;
  readonly content: EntryContent;
}

/**
 * Checks that an entry is the next of its author's log after `last`, and hashes it. `last` is undefined at the start of
 * a log, which only an epoch entry can be; where that names a head before it, the log was begun anew.
 * Throws ERR_LEDGER_ENTRY_MISSING, ERR_LEDGER_ENTRY_ALTERED or ERR_LEDGER_MALFORMED.
 */
export function nextLink(
  crypto: LedgerCrypto,
  author: Uint8Array,
  last: Link | undefined,
  entry: Omit<ChainedEntry, 'hash'>,
): ChainStep {
  const { epoch, sequence } = entry;
  const content = EntryContent.decode(entry.content);
  const opens = sequence === 1;
  if (opens !== (content.kind === EPOCH_KIND)) throw altered(entry, 'only the first entry of an epoch opens it');
  let previousHash: Uint8Array;
  if (opens) {
    const body = EpochBody.decode(content.body);
    previousHash = body.previous?.hash ?? NO_HASH;
    if (last === undefined) {
      if (body.previous !== undefined && !body.predecessorLost)
        throw missing(entry, 'the entries before it are not here');
    } else if (body.predecessorLost || !isHeadOf(last, body) || epoch.counter <= last.epoch.counter) {
      throw missing(entry, 'its epoch does not follow the entry before it');
    }
  } else {
    if (last === undefined || !sameBytes(last.epoch.random, epoch.random) || last.epoch.counter !== epoch.counter) {
      throw missing(entry, 'the start of its epoch is not here');
    }
    if (sequence !== last.sequence + 1) throw missing(entry, `after ${last.sequence} comes ${last.sequence + 1}`);
    previousHash = last.hash;
  }
  const hash = hashEntry(crypto, { author, epoch, sequence, previousHash }, entry.content);
  return { link: { epoch, sequence, hash }, content };
}

function isHeadOf(last: Link, { previous }: EpochBodyValue): boolean {
  return (
    previous !== undefined &&
    previous.epoch.counter === last.epoch.counter &&
    previous.sequence === last.sequence &&
    sameBytes(previous.hash, last.hash)
  );
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

type Place = Pick<ChainedEntry, 'epoch' | 'sequence'>;

const missing = (place: Place, why: string) =>
  new SparcError('ERR_LEDGER_ENTRY_MISSING', `entry ${name(place)}: ${why}`, at(place));

const altered = (place: Place, why: string) =>
  new SparcError('ERR_LEDGER_ENTRY_ALTERED', `entry ${name(place)}: ${why}`, at(place));

const name = ({ epoch, sequence }: Place) => `${epoch.counter}/${sequence}`;
const at = ({ epoch, sequence }: Place) => ({ epoch: epoch.counter, sequence });
