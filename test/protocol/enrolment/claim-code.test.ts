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
      t.match(text, /^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/);
      const written = [text, text.toLowerCase(), text.replaceAll('-', ' '), ` ${text.replaceAll('-', '')}\n`];
      const asHeard = text.replaceAll('0', 'o').replaceAll('1', 'l');
      for (const typed of [...written, asHeard]) t.strictSame(readClaimCode(typed), code);
    }),
  );
  t.pass();
});

t.test('a letter that is another, missing or too many, or neighbours that changed places, are noticed', async (t) => {
  const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  checkProperty(
    fc.property(codes, fc.nat(24), fc.nat(31), (code, at, other) => {
      const text = claimCodeText(code).replaceAll('-', '');
      const replaced = text.slice(0, at) + ALPHABET.charAt(other) + text.slice(at + 1);
      if (replaced !== text) t.ok(isRefused(replaced), `${text} as ${replaced}`);
      const [one = '', two = ''] = text.slice(at, at + 2);
      const swapped = text.slice(0, at) + two + one + text.slice(at + 2);
      if (one !== two && two !== '' && !/0Z|Z0/.test(one + two)) t.ok(isRefused(swapped), `${text} as ${swapped}`);
      t.ok(isRefused(text.slice(0, at) + text.slice(at + 1)));
      t.ok(isRefused(text.slice(0, at) + text.slice(at, at + 1) + text.slice(at)));
    }),
  );
  for (const nothing of ['', '-', 'U'.repeat(25), 'x', 'Ä'.repeat(25)]) t.ok(isRefused(nothing));
});

t.test('a claim code fits the root that it was made for, and what is kept of it does not show it', async (t) => {
  checkProperty(
    fc.property(codes, codes, (code, other) => {
      t.ok(isCodeOf(code, ROOT));
      t.notOk(isCodeOf(code, Uint8Array.of(1, 2, 4)));
      const kept = Buffer.from(claimCodeHash(code));
      t.equal(kept.equals(claimCodeHash(other)), code.secret === other.secret);
      t.notOk(kept.toString('latin1').includes(code.secret.slice(0, 5)));
    }),
  );
  t.pass();
});
