import t from 'tap';
import { SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { SITE_FILE, siteFileProblems } from '../../support/site-file.js';
import { policyScene } from './policy-scene.js';

/** The laboratory takes a PIN alone; Ada's card leads there, and Bob's and the chief's do where they say so. */
function siteFile({
  ada,
  bob,
  chief,
  isInProfile = true,
}: Record<'ada' | 'bob' | 'chief', string> & { isInProfile?: boolean }) {
  return SITE_FILE.replace('authentication: cardAndPin', 'authentication: cardOrPin')
    .replace('pin: "4711"', ada)
    .replace('    status: lost\n', `    status: lost\n    ${bob}\n`)
    .replace('accessProfiles: []', `accessProfiles: [${isInProfile ? 'lab-staff' : ''}]`)
    .replace('  - id: card-chief\n    holder: ada\n', `  - id: card-chief\n    holder: ada\n    ${chief}\n`);
}

t.test('PINs that say by themselves who comes are long enough, and nobody shares one', async (t) => {
  const ok = { ada: 'pin: "135790"', bob: 'pin: "246801"', chief: 'pin: "4711"' };
  t.strictSame(siteFileProblems(siteFile(ok)), []);
  t.match(siteFileProblems(siteFile({ ...ok, ada: 'pin: "4711"' })), [/credentials\[0\]\.pin has fewer than 6 digits/]);
  t.match(siteFileProblems(siteFile({ ...ok, bob: 'pin: "135790"' })), [
    /credentials\[1\]\.pin .* credential `card-ada` has already/,
  ]);
  const collides = { ...ok, ada: 'pin: "135790"\n    duressPin: "246801"' };
  t.match(siteFileProblems(siteFile(collides)), [/credentials\[1\]\.pin .* credential `card-ada` has already/]);
  for (const problem of siteFileProblems(siteFile(collides))) t.notMatch(problem, '246801');
  const elsewhere = siteFile({ ...ok, bob: 'pin: "135790"', isInProfile: false });
  t.strictSame(siteFileProblems(elsewhere), [], 'where a card is asked for, PINs may be equal');
});

t.test('a generation finds by PIN whoever may use one alone, and nobody else', async (t) => {
  const scene = policyScene(t);
  scene.apply(
    siteFile({
      ada: 'pin: "135790"\n    duressPin: "135791"',
      bob: 'pin: "246801"',
      chief: 'pin: "975310"',
      isInProfile: false,
    }),
  );
  const { current } = verifyGeneration(scene.dataDir, scene.verify);
  const view = SqlitePolicyView.open(current?.path ?? '', scene.pinKey);
  t.teardown(() => view.close());
  t.match(view.credentialByPin('135790'), { id: 'card-ada', holderId: 'ada', hasPin: true });
  t.equal(view.comparePin('card-ada', '135790'), 'right');
  t.equal(view.credentialByPin('135791')?.id, 'card-ada');
  t.equal(view.comparePin('card-ada', '135791'), 'duress');
  t.strictSame(view.rights('card-ada', 'lab-in'), [{ profileId: 'lab-staff', scheduleId: 'always' }]);
  for (const pin of ['246801', '975310', '', '13579', 'pin:']) t.equal(view.credentialByPin(pin), undefined, pin);
  t.strictSame(view.credential('card-ada'), view.credentialByPin('135790'));
  t.equal(view.credential('nobody'), undefined);
  t.equal(view.cardOf('card-ada')?.bitCount, 26, 'its card is no PIN');
});
