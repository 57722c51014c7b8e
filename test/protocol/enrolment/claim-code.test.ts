import fc from 'fast-check';
import t from 'tap';
import { isSparcError } from '@sparc/protocol/errors';
import { claimCodeHash, claimCodeText, isCodeOf, makeClaimCode, readClaimCode } from '@sparc/protocol/enrolment';
import { SeededRandom } from '@sparc/simulator/world';
import { checkProperty } from '../../support/property.js';

const ROOT = Uint8Array.of(1, 2, 3);
const codes = fc.integer().map((seed) => makeClaimCode(new SeededRandom(seed), ROOT));

function isRefused(typed: string): boolean {
  try {
    readClaimCode(typed);
    return false;
  } catch (error) {
    return isSparcError(error, 'ERR_CLAIM_CODE_MISTYPED');
  }
}

t.test('a claim code is read back however it is written', async (t) => {
  checkProperty(
    fc.property(codes, (code) => {
      const text = claimCodeText(code);
      const written = [text, text.toLowerCase(), text.replaceAll('-', ' '), ` ${text.replaceAll('-', '')}\n`];
      const asHeard = text.replaceAll('0', 'o').replaceAll('1', 'l');
      const isSame = [...written, asHeard].every((typed) => {
        const { secret, pin } = readClaimCode(typed);
        return secret === code.secret && pin === code.pin;
      });
      return isSame && /^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/.test(text);
    }),
  );
  t.pass();
});

t.test('a letter that is another, missing or too many, or neighbours that changed places, are noticed', async (t) => {
  const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  checkProperty(
    fc.property(codes, fc.nat(24), fc.nat(31), (code, at, other) => {
      const text = claimCodeText(code).replaceAll('-', '');
      const [before, rest] = [text.slice(0, at), text.slice(at + 1)];
      const [one = '', two = ''] = text.slice(at, at + 2);
      const isSwapNoticed = one !== two && two !== '' && !/0Z|Z0/.test(one + two);
      const wrong = [
        ...(one === ALPHABET.charAt(other) ? [] : [before + ALPHABET.charAt(other) + rest]),
        ...(isSwapNoticed ? [before + two + one + rest.slice(1)] : []),
        before + rest,
        before + one + one + rest,
      ];
      return wrong.every(isRefused);
    }),
  );
  for (const nothing of ['', '-', 'U'.repeat(25), 'x', 'Ä'.repeat(25)]) t.ok(isRefused(nothing));
});

t.test('a claim code fits the root that it was made for, and what is kept of it does not show it', async (t) => {
  checkProperty(
    fc.property(codes, codes, (code, other) => {
      const kept = Buffer.from(claimCodeHash(code));
      const isOwn = kept.equals(claimCodeHash(other)) === (code.secret === other.secret);
      const isHidden = !kept.toString('latin1').includes(code.secret.slice(0, 5));
      return isOwn && isHidden && isCodeOf(code, ROOT) && !isCodeOf(code, Uint8Array.of(1, 2, 4));
    }),
  );
  t.pass();
});
