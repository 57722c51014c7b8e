import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import type { Random } from '../ports/random.js';

/** Of Crockford's base 32: no letter looks like a digit, and no code spells a word. 5 bits each. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 85 bits that nobody guesses. */
const SECRET_LENGTH = 17;
/** 35 bits by which the gateway knows the cloud: a stranger has one try, blind, before the person at the gateway wonders. */
const PIN_LENGTH = 7;
const GROUP_LENGTH = 5;

const PIN_DOMAIN = utf8ToBytes('sparc/claim/pin/1\0');
const HASH_DOMAIN = utf8ToBytes('sparc/claim/hash/1\0');

/** What a person carries from the cloud to a gateway that is to be enrolled; used once. */
export interface ClaimCode {
  readonly secret: string;
  /** Over the secret and the root of the installation: who does not know the secret cannot look for a root that fits. */
  readonly pin: string;
}

/** `root`: certificate of the installation, DER. */
export function makeClaimCode(random: Random, root: Uint8Array): ClaimCode {
  const secret = Array.from(random.bytes(SECRET_LENGTH), character).join('');
  return { secret, pin: pinOf(secret, root) };
}

/** Five groups of five; the last character is made from all others. */
export function claimCodeText({ secret, pin }: ClaimCode): string {
  const text = `${secret}${pin}`;
  return groups(`${text}${checkCharacter(text)}`).join('-');
}

/** As somebody typed it: small letters, I or L for 1, O for 0, any spaces and dashes. Throws ERR_CLAIM_CODE_MISTYPED. */
export function readClaimCode(typed: string): ClaimCode {
  const text = typed.replace(/[\s-]/g, '').toUpperCase().replace(/[IL]/g, '1').replace(/O/g, '0');
  const body = text.slice(0, SECRET_LENGTH + PIN_LENGTH);
  const isWhole = text.length === SECRET_LENGTH + PIN_LENGTH + 1 && [...text].every((each) => ALPHABET.includes(each));
  if (isWhole && text.endsWith(checkCharacter(body))) {
    return { secret: body.slice(0, SECRET_LENGTH), pin: body.slice(SECRET_LENGTH) };
  }
  throw new SparcError('ERR_CLAIM_CODE_MISTYPED', 'a claim code has five groups of five letters and digits');
}

/** Whether the code was made by the installation with this root. */
export const isCodeOf = ({ secret, pin }: ClaimCode, root: Uint8Array): boolean => pin === pinOf(secret, root);

/** What the cloud keeps of a code: nobody can claim by it. 32 bytes. */
export const claimCodeHash = ({ secret }: ClaimCode): Uint8Array =>
  sha256(concatBytes(HASH_DOMAIN, utf8ToBytes(secret)));

const pinOf = (secret: string, root: Uint8Array): string =>
  Array.from(sha256(concatBytes(PIN_DOMAIN, utf8ToBytes(secret), root)).subarray(0, PIN_LENGTH), character).join('');

const character = (byte: number): string => ALPHABET.charAt(byte & 31);

/** Luhn's check over 32 characters: no single one can be another, and no two neighbours but 0 and Z can change places. */
function checkCharacter(text: string): string {
  const sum = [...text].reverse().reduce((total, each, at) => {
    const value = ALPHABET.indexOf(each) * (at % 2 === 0 ? 2 : 1);
    return total + Math.floor(value / ALPHABET.length) + (value % ALPHABET.length);
  }, 0);
  return ALPHABET.charAt((ALPHABET.length - (sum % ALPHABET.length)) % ALPHABET.length);
}

const groups = (text: string): string[] =>
  Array.from({ length: text.length / GROUP_LENGTH }, (_, at) => text.slice(at * GROUP_LENGTH, (at + 1) * GROUP_LENGTH));
