import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import t from 'tap';
import { verifySignature } from '@sparc/edge/platform';
import { isSparcError } from '@sparc/protocol/errors';
import {
  linkRequest,
  openAdmission,
  openRequest,
  seal,
  Sealed,
  signAdmission,
  signRequest,
  signRoster,
  unseal,
} from '@sparc/protocol/roster';
import { SeededRandom } from '@sparc/simulator/world';
import { checkProperty } from '../../support/property.js';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';

const AUTHORITY = testSigner(200);
const SECRET = new Uint8Array(32).fill(0x5e);
const SECRETS = {
  siteSecret: { number: 3, issuedUnixMs: 1_790_000_000_000, secret: SECRET },
  pinKey: new Uint8Array(32).fill(0x91),
  previousSecrets: [new Uint8Array(32).fill(0x5d)],
};
/** What the key of `testSigner(seed)` is made from. */
const seedOf = (seed: number) => new Uint8Array(32).fill(seed);
const gateway = (seed: number) => ({ key: keyOf(seed), seed: seedOf(seed) });
const ROSTER = signRoster(AUTHORITY, rosterWith([member(1), member(2)], { epoch: 4 }));
const LINK = {
  tenant: '0b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b',
  cloudKey: new Uint8Array(32).fill(7),
  brokerUrl: 'mqtts://cloud.example.com:8883',
  renewalUrl: 'https://cloud.example.com:7743',
  root: Uint8Array.of(1),
  certificates: [Uint8Array.of(2), Uint8Array.of(3)],
};
const admission = (seed: number, roster = ROSTER, link?: typeof LINK) =>
  signAdmission(AUTHORITY, new SeededRandom(seed), { key: keyOf(seed), roster, secrets: SECRETS, link });

/** The code that it ends with. */
function codeOf(work: () => unknown): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    if (isSparcError(error)) return error.code;
    throw error;
  }
}

/** One file for each byte, in which one bit of it is another. */
function* withOneBitChanged(file: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < file.length; at++) {
    yield file.map((byte, index) => (index === at ? byte ^ (1 << (at & 7)) : byte));
  }
}

t.test('a request says who asks, as that gateway signed it', async (t) => {
  const asked = member(1);
  t.strictSame(openRequest(verifySignature, signRequest(testSigner(1), asked)), { member: asked });
  const certificateRequest = Uint8Array.of(1, 2, 3);
  t.strictSame(openRequest(verifySignature, signRequest(testSigner(1), asked, certificateRequest)), {
    member: asked,
    certificateRequest,
  });
  t.equal(
    codeOf(() => signRequest(testSigner(1), { name: 'x\n', addresses: [] })),
    'ERR_MESH_ROSTER_INVALID',
  );
});

t.test('a request is refused when any byte of it is another, or when its end is missing', async (t) => {
  const file = signRequest(testSigner(1), member(1), Uint8Array.of(1, 2, 3));
  for (const changed of withOneBitChanged(file)) {
    const code = codeOf(() => openRequest(verifySignature, changed));
    if (code !== 'ERR_MESH_REQUEST_INVALID') t.fail(`${Buffer.from(changed).toString('hex')}: ${code}`);
  }
  for (let length = 0; length < file.length; length++) {
    const code = codeOf(() => openRequest(verifySignature, file.subarray(0, length)));
    if (code !== 'ERR_MESH_REQUEST_INVALID') t.fail(`${length} bytes: ${code}`);
  }
  t.pass();
});

t.test('what a cloud grants goes with the request that it was granted for, and unchanged', async (t) => {
  const cloud = testSigner(9);
  const grant = { ...LINK, cloudKey: cloud.publicKey };
  const [file, other] = [signRequest(testSigner(1), member(1)), signRequest(testSigner(2), member(2))];
  const linked = linkRequest(cloud, file, grant);
  t.strictSame(openRequest(verifySignature, linked), { member: member(1), link: grant });
  const again = { ...grant, brokerUrl: 'mqtts://other:1' };
  t.strictSame(openRequest(verifySignature, linkRequest(cloud, linked, again)).link, again, 'the last one counts');
  for (const changed of withOneBitChanged(linked)) {
    const code = codeOf(() => openRequest(verifySignature, changed));
    if (code !== 'ERR_MESH_REQUEST_INVALID') t.fail(`${Buffer.from(changed).toString('hex')}: ${code}`);
  }
  // Behind the request and its signature, both of which are as long in the other file.
  const moved = Buffer.concat([other, linked.subarray(other.length)]);
  t.equal(
    codeOf(() => openRequest(verifySignature, moved)),
    'ERR_MESH_REQUEST_INVALID',
  );
  t.equal(
    codeOf(() => openRequest(verifySignature, linkRequest(testSigner(8), file, grant))),
    'ERR_MESH_REQUEST_INVALID',
    'by a cloud that it does not name',
  );
});

t.test('a gateway takes authority, roster and site secret out of its admission', async (t) => {
  const opened = openAdmission(verifySignature, gateway(2), admission(2));
  t.strictSame(opened.authority, AUTHORITY.publicKey);
  t.strictSame(opened.siteSecret, SECRETS.siteSecret);
  t.strictSame(opened.pinKey, SECRETS.pinKey);
  t.strictSame(opened.previousSecrets, SECRETS.previousSecrets);
  t.strictSame(opened.signed, ROSTER);
  t.equal(opened.roster.epoch, 4);
  t.equal(opened.link, undefined);
  t.strictSame(openAdmission(verifySignature, gateway(2), admission(2, ROSTER, LINK)).link, LINK, 'and of the cloud');
});

t.test('an admission shows the site secret to nobody, and another gateway cannot take it', async (t) => {
  const file = admission(1);
  t.notOk(Buffer.from(file).includes(Buffer.from(SECRET)));
  t.equal(
    codeOf(() => openAdmission(verifySignature, gateway(2), file)),
    'ERR_MESH_ADMISSION_INVALID',
  );
  const pretending = { key: keyOf(1), seed: seedOf(2) };
  t.equal(
    codeOf(() => openAdmission(verifySignature, pretending, file)),
    'ERR_MESH_ADMISSION_INVALID',
  );
});

t.test('an admission is refused when any byte of it is another, or when its end is missing', async (t) => {
  const file = admission(1);
  for (const changed of withOneBitChanged(file)) {
    const code = codeOf(() => openAdmission(verifySignature, gateway(1), changed));
    if (code !== 'ERR_MESH_ADMISSION_INVALID') t.fail(`${Buffer.from(changed).toString('hex')}: ${code}`);
  }
  for (let length = 0; length < file.length; length++) {
    const code = codeOf(() => openAdmission(verifySignature, gateway(1), file.subarray(0, length)));
    if (code !== 'ERR_MESH_ADMISSION_INVALID') t.fail(`${length} bytes: ${code}`);
  }
  t.pass();
});

t.test('an admission with a roster of another authority, or without the gateway, is refused', async (t) => {
  const foreign = signRoster(testSigner(201), rosterWith([member(1)]));
  const without = signRoster(AUTHORITY, rosterWith([member(2)]));
  for (const roster of [foreign, without]) {
    t.equal(
      codeOf(() => openAdmission(verifySignature, gateway(1), admission(1, roster))),
      'ERR_MESH_ADMISSION_INVALID',
    );
  }
});

t.test('whatever bytes come as a request or an admission, they are refused with their code', async (t) => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 300 }), (file) => {
      t.equal(
        codeOf(() => openRequest(verifySignature, file)),
        'ERR_MESH_REQUEST_INVALID',
      );
      t.equal(
        codeOf(() => openAdmission(verifySignature, gateway(1), file)),
        'ERR_MESH_ADMISSION_INVALID',
      );
    }),
  );
  t.pass();
});

t.test('nothing is sealed to a key that everybody could open', async (t) => {
  // The neutral element and the point of order two: signatures by them can be made without any secret.
  const neutral = Uint8Array.of(1, ...new Uint8Array(31));
  const orderTwo = Uint8Array.of(0xec, ...new Uint8Array(30).fill(0xff), 0x7f);
  for (const key of [neutral, orderTwo, new Uint8Array(32).fill(2)]) {
    const hex = Buffer.from(key).toString('hex');
    t.equal(
      codeOf(() => signAdmission(AUTHORITY, new SeededRandom(1), { key: hex, roster: ROSTER, secrets: SECRETS })),
      'ERR_MESH_REQUEST_INVALID',
      hex,
    );
  }
});

t.test('what is sealed to a gateway opens with its seed alone, and is never sealed the same way twice', async (t) => {
  const random = new SeededRandom(3);
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 9 }), (content, seed) => {
      const sealed = Sealed.decode(Sealed.encode(seal(testSigner(seed).publicKey, random, content)));
      t.strictSame(unseal(seedOf(seed), sealed), content);
      t.equal(unseal(seedOf(seed + 1), sealed), undefined);
      t.notSame(seal(testSigner(seed).publicKey, random, content), sealed);
    }),
    30,
  );
  t.pass();
});

t.test('the X25519 key of a gateway is the one that OpenSSL makes from its seed (RFC 8032, 5.1.5)', async (t) => {
  const digest = createHash('sha512').update(seedOf(1)).digest().subarray(0, 32);
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), digest]);
  const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  t.strictSame(
    Buffer.from(ed25519.utils.toMontgomery(testSigner(1).publicKey)),
    spki.export({ format: 'der', type: 'spki' }).subarray(-32),
  );
});

t.test('what is no admission at all is said to be none', async (t) => {
  t.throws(() => openAdmission(verifySignature, gateway(1), new TextEncoder().encode('a shopping list')), {
    code: 'ERR_MESH_ADMISSION_INVALID',
    message: /^it does not read as such a file: /,
  });
});
