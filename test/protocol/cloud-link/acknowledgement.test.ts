import fc from 'fast-check';
import t from 'tap';
import { openAcknowledgement, signAcknowledgement } from '@sparc/protocol/cloud-link';
import { isSparcError } from '@sparc/protocol/errors';
import { pureCrypto } from '@sparc/protocol/ledger';
import { checkProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(7);
const acknowledgement = {
  site: 'harbour',
  issuedUnixMs: 1_767_600_000_000,
  complete: true,
  heads: [
    {
      author: testSigner(1).publicKey,
      epoch: { counter: 3, random: new Uint8Array(8).fill(3) },
      sequence: 17,
      hash: new Uint8Array(32).fill(9),
    },
  ],
};
const signed = signAcknowledgement(cloud, acknowledgement);
const open = (bytes: Uint8Array, key = cloud.publicKey, site = 'harbour') =>
  openAcknowledgement(pureCrypto.verify, key, site, bytes);
const refused = { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' };

t.test('what the cloud signed for this site is opened as it was', async (t) => {
  t.strictSame(open(signed), acknowledgement);
});

t.test('an acknowledgement by another key, or for another site, is refused', async (t) => {
  t.throws(() => open(signed, testSigner(8).publicKey), refused);
  t.throws(() => open(signed, cloud.publicKey, 'airport'), refused);
});

t.test('no byte of it can be changed', async (t) => {
  checkProperty(
    fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = Uint8Array.from(signed);
      altered[at] = (altered[at] ?? 0) ^ change;
      try {
        open(altered);
        return false;
      } catch (error) {
        return isSparcError(error, 'ERR_LINK_ACKNOWLEDGEMENT_INVALID');
      }
    }),
    40,
  );
  t.pass();
});
