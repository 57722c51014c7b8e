import t from 'tap';
import { openAnswer, signAnswer, type Answer } from '@sparc/protocol/cloud-link';
import { pureCrypto } from '@sparc/protocol/ledger';
import { testSigner } from '../../support/test-signer.js';

const gateway = testSigner(1);
const decision = { outcome: 'granted', alsoFailed: [], flags: [], policyRevision: '7', atUnixMs: 1 } as const;
const opened = (answer: Answer) =>
  openAnswer(pureCrypto.verify, gateway.publicKey, 'harbour', signAnswer(gateway, answer));

t.test('an answer has a decision where it says so, and nowhere else', async (t) => {
  const every = { site: 'harbour', id: 'ab'.repeat(16) };
  for (const answer of [
    { ...every, outcome: 'decided', decision },
    { ...every, outcome: 'refused', code: 'ERR_POLICY_NONE' },
  ] as const) {
    t.strictSame(opened(answer), answer);
  }
  for (const answer of [
    { ...every, outcome: 'decided' },
    { ...every, outcome: 'applied', decision },
  ] as const) {
    t.throws(() => opened(answer), { code: 'ERR_LINK_ANSWER_INVALID' });
  }
});
