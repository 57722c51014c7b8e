import { scrypt, timingSafeEqual } from 'node:crypto';
import type { Random } from '@sparc/protocol/ports';

/** NIST SP 800-63B, 3.1.1.2: a length, and no rules of composition. */
export const PASSWORD_CHARACTERS_MIN = 12;
export const PASSWORD_CHARACTERS_MAX = 256;

/** N = 2^15, r = 8, p = 3: 32 MiB, and a few tenths of a second (OWASP, Password Storage). */
const COST = { logN: 15, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** `scrypt$logN$r$p$salt$hash`, the last two in base64url: a stored one says how it was made. */
const STORED = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

/** 120 bits, to be told once. */
const MADE_BYTES = 15;

export const madePassword = (random: Random): string => Buffer.from(random.bytes(MADE_BYTES)).toString('base64url');

/** What is stored of a password (RFC 7914). */
export async function hashPassword(random: Random, password: string): Promise<string> {
  const salt = Buffer.from(random.bytes(SALT_BYTES));
  const hash = await derive(password, salt, COST);
  return ['scrypt', COST.logN, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** It takes as long where nobody is known, so that names cannot be told by time. */
export async function isPassword(stored: string | undefined, password: string): Promise<boolean> {
  const [, logN, r, p, salt = '', hash = ''] = STORED.exec(stored ?? '') ?? [];
  const cost = stored === undefined ? COST : { logN: Number(logN), r: Number(r), p: Number(p) };
  const made = await derive(password, Buffer.from(salt, 'base64url'), cost);
  const known = Buffer.from(hash, 'base64url');
  return known.length === made.length && timingSafeEqual(known, made);
}

/** The same text typed on another system may be other characters (RFC 8265, 4.2.2). */
const derive = (password: string, salt: Buffer, { logN, r, p }: { logN: number; r: number; p: number }) =>
  new Promise<Buffer>((resolve, reject) => {
    const options = { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r };
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
