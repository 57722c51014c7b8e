import { timingSafeEqual } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import { HASH_BYTES } from '@sparc/protocol/ledger';
import type { Part } from '@sparc/protocol/ports';
import { Seal, toHex } from '../platform/index.js';
import type { Database } from './database.js';
import type { Events } from './tables.js';

/** Before what is sealed. No entry and no part begins with it: a protobuf field 0, and a block of DEFLATE of no type. */
const SEALED = Buffer.of(0x07);

/** The seals of a tenant's columns; made from one secret of the installation, of 32 bytes. */
export class Seals {
  readonly #seals = new Map<string, Seal>();

  constructor(
    private readonly secret: Uint8Array,
    private readonly tenant: string,
  ) {}

  of(purpose: 'entry' | 'part', site: string): Seal {
    const name = `${purpose} ${site}`;
    const seal = this.#seals.get(name) ?? new Seal(this.secret, purpose, this.tenant, site);
    this.#seals.set(name, seal);
    return seal;
  }
}

/** What of a row is needed to open it. */
export const SEALED_ENTRY = [
  'site_id',
  'author',
  'epoch',
  'epoch_random',
  'sequence',
  'hash',
  'content',
] as const satisfies readonly (keyof Events)[];
export type SealedEntry = Pick<Selectable<Events>, (typeof SEALED_ENTRY)[number]>;
export type EntryPlace = Omit<SealedEntry, 'site_id' | 'hash' | 'content'>;

export interface OpenEntry {
  readonly hash: Uint8Array;
  readonly content: Uint8Array;
}

/** The columns `hash` and `content` of an entry at its place. */
export function sealEntry(
  seal: Seal,
  place: EntryPlace,
  { hash, content }: OpenEntry,
): Pick<Events, 'hash' | 'content'> {
  const sealed = seal.seal(entryName(place), Buffer.concat([hash, content]));
  return { hash: Buffer.alloc(0), content: Buffer.concat([SEALED, sealed]) };
}

/** Throws ERR_DATABASE_SEAL_BROKEN where its content is of another row, or altered. */
export function openEntry(seals: Seals, row: SealedEntry): OpenEntry {
  const { site_id: site, hash, content } = row;
  // Of before there were seals.
  if (!isSealed(content)) return { hash: Uint8Array.from(hash), content: Uint8Array.from(content) };
  const opened = Uint8Array.from(seals.of('entry', site).open(entryName(row), content.subarray(SEALED.length)));
  return { hash: opened.subarray(0, HASH_BYTES), content: opened.subarray(HASH_BYTES) };
}

const entryName = ({ author, epoch, epoch_random: random, sequence }: EntryPlace): string =>
  `${toHex(author)} ${epoch} ${toHex(random)} ${sequence}`;

/** The columns `hash` and `content` of a part of a policy. */
export const sealPart = (seal: Seal, { hash, content }: Part) => ({
  hash: seal.mark(hash),
  content: Buffer.concat([SEALED, seal.seal(hash, content)]),
});

/** `hash`: SHA-256 of what it opens to, in hex. Throws ERR_DATABASE_SEAL_BROKEN where it is of another part, or altered. */
export const openPart = (seal: Seal, hash: string, content: Uint8Array): Uint8Array =>
  Uint8Array.from(isSealed(content) ? seal.open(hash, content.subarray(SEALED.length)) : content);

const isSealed = (content: Uint8Array): boolean => content[0] === SEALED[0];

/** Throws ERR_DATABASE_KEY_OTHER where what is in the database was sealed with another secret. The first one that comes is its own. */
export async function assertSealedWith(database: Database, secret: Uint8Array): Promise<void> {
  const own = new Seal(secret, 'database', '', '').mark('');
  const { rows } = await database.asSystem('sealing_mark', ({ query }) =>
    sql<{ readonly mark: Uint8Array }>`select sealing_mark(${own}) as mark`.execute(query),
  );
  if (rows[0] !== undefined && timingSafeEqual(rows[0].mark, own)) return;
  throw new SparcError('ERR_DATABASE_KEY_OTHER', 'sites.key is not the key that this database was sealed with');
}
