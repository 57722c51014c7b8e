import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AuthoritySource } from '@sparc/cloud-sync/authority';
import { createDatabase, createTenant } from '@sparc/cloud-sync/db';
import { FileAuthorityKeys, Token, TokenAuthorityKeys } from '@sparc/cloud-sync/identity';
import { nodeCrypto, nodeRandom, seedSigner } from '@sparc/cloud-sync/platform';
import { openAdmission } from '@sparc/protocol/roster';
import { migrated, openPglite } from '../../support/databases.js';
import { keyOf, member } from '../../support/roster.js';
import { SKIP_WITHOUT_SOFTHSM, SoftHsm } from '../../support/soft-hsm.js';
import { authorityScene, codeOf, Follower } from '../authority/authority-scene.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const MESSAGE = Buffer.from('what an authority says');
const site = { id: 'harbour', name: 'Harbour' };
const code = (work: () => unknown) => codeOf(Promise.resolve().then(work));

t.test('keys in a token', { skip: SKIP_WITHOUT_SOFTHSM }, async (t) => {
  const hsm = new SoftHsm();
  t.teardown(() => hsm.remove());

  await t.test('what is not there, or does not open, is said by its code', async (t) => {
    const failing = (place: Partial<typeof hsm.place>) => code(() => new Token({ ...hsm.place, ...place }).find('a'));
    t.equal(await failing({ module: '/nowhere.so' }), 'ERR_AUTHORITY_TOKEN_ABSENT');
    t.equal(await failing({ module: '/usr/lib/os-release' }), 'ERR_AUTHORITY_TOKEN_ABSENT');
    t.equal(await failing({ token: 'another' }), 'ERR_AUTHORITY_TOKEN_ABSENT');
    t.equal(await failing({ pin: '31415' }), 'ERR_AUTHORITY_TOKEN_PIN');
  });

  await t.test('a PIN that was refused is not tried again, so that no token locks itself', async (t) => {
    const token = new Token({ ...hsm.place, pin: '31415' });
    t.equal(await code(() => token.find('a')), 'ERR_AUTHORITY_TOKEN_PIN');
    hsm.pullOut();
    t.equal(await code(() => token.find('a')), 'ERR_AUTHORITY_TOKEN_PIN', 'nobody looked for the token');
    const other = new Token(hsm.place);
    t.equal(await code(() => other.find('a')), 'ERR_AUTHORITY_TOKEN_ABSENT');
    hsm.plugIn();
    t.equal(await code(() => other.find('a')), 'done');
  });

  await t.test('a key is made once, and whoever opens the token signs with it', async (t) => {
    const token = new Token(hsm.place);
    t.equal(token.find('a'), undefined);
    const made = token.make('a');
    t.ok(nodeCrypto.verify(made.publicKey, MESSAGE, made.sign(MESSAGE)));
    t.strictSame(token.make('a').publicKey, made.publicKey);
    const again = new Token(hsm.place).find('a');
    t.strictSame(again?.publicKey, made.publicKey);
    t.strictSame(again?.sign(MESSAGE), made.sign(MESSAGE), 'Ed25519 takes no chance');
    t.notSame(new Token(hsm.place).make('b').publicKey, made.publicKey);
  });

  await t.test('with two keys of one name none is taken', async (t) => {
    const [one, other] = [new Token(hsm.place), new Token(hsm.place)];
    const find = other.find.bind(other);
    other.find = () => undefined;
    t.notSame(one.make('twice').publicKey, other.make('twice').publicKey);
    t.equal(await code(() => find('twice')), 'ERR_AUTHORITY_TOKEN_FAILED');
  });

  await t.test('authorities of sites', async (t) => {
    const database = createDatabase(await migrated(await openPglite(t)), SEALING_SECRET);
    const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
    const { folder, authorities: withKeys } = authorityScene(t);
    const files = new FileAuthorityKeys(folder, nodeRandom);
    const keys = () => new TokenAuthorityKeys(new Token(hsm.place), files);
    const authorities = withKeys(database, keys());
    await authorities.create(tenant, site);
    const authority = authorities.of(tenant, site.id);
    const source = new AuthoritySource(database);
    const follower = new Follower();
    const follow = () => follower.follow((ends) => source.batches({ tenant, site: site.id }, ends));

    await t.test('what they say is signed in the token, and the file opens what is sealed alone', async (t) => {
      const [file = new Uint8Array()] = await authority.enrol([member(1)]);
      const { authority: key, pinKey } = openAdmission(
        nodeCrypto.verify,
        { key: keyOf(1), seed: new Uint8Array(32).fill(1) },
        file,
      );
      t.strictSame(pinKey, await authority.pinKey());
      await authority.rotate();
      await follow();
      t.strictSame(follower.kinds, ['epoch', 'roster', 'site-secret', 'roster', 'site-secret']);
      const inToken = new Token(hsm.place).find(`sparc/${tenant}/harbour`)?.publicKey;
      t.strictSame(key, inToken);
      const seed = readFileSync(join(folder, 'authorities', tenant, 'harbour.key'));
      t.notSame(seedSigner(seed).publicKey, inToken);
      await withKeys(database, keys()).of(tenant, site.id).rotate();
      t.ok((await follow()) > 0, 'another process signs, too');
    });

    await t.test('a token that is pulled out says no more, and goes on where it ended when it is back', async (t) => {
      await follow();
      const before = follower.entries.length;
      const pulled = authority.rotate(async () => hsm.pullOut());
      t.equal(await codeOf(pulled), 'ERR_AUTHORITY_TOKEN_FAILED', 'in the middle of an act');
      t.equal(await codeOf(authority.rotate()), 'ERR_AUTHORITY_TOKEN_ABSENT');
      t.equal(await codeOf(authority.confirm()), 'ERR_AUTHORITY_TOKEN_ABSENT');
      await follow();
      t.equal(follower.entries.length, before, 'nothing was said');
      hsm.plugIn();
      await authority.rotate();
      await follow();
      t.equal(follower.kinds.at(-1), 'site-secret');
      t.equal(follower.forks, 0);
    });

    await t.test('a site that was made before goes on with the key in its file', async (t) => {
      const old = { id: 'depot', name: 'Depot' };
      await withKeys(database, files).create(tenant, old);
      await authorities.of(tenant, 'depot').rotate();
      t.equal(await codeOf(authorities.create(tenant, old)), 'ERR_AUTHORITY_SITE_PRESENT');
      await authorities.of(tenant, 'depot').rotate();
      t.equal((await authorities.of(tenant, 'depot').state()).siteSecret.number, 3);
      t.equal(new Token(hsm.place).find(`sparc/${tenant}/depot`), undefined);
      t.strictSame(readdirSync(join(folder, 'authorities', tenant)).sort(), ['depot.key', 'harbour.key']);
    });

    await t.test('what is left in a file of a site that was never made is no authority', async (t) => {
      await files.make(tenant, 'quay');
      await authorities.create(tenant, { id: 'quay', name: 'Quay' });
      const inToken = new Token(hsm.place).find(`sparc/${tenant}/quay`)?.publicKey;
      t.ok(inToken);
      t.strictSame((await keys().find(tenant, 'quay'))?.signer.publicKey, inToken);
      await authorities.of(tenant, 'quay').rotate();
    });

    await t.test('without the token, the key in its file signs for no site of the token', async (t) => {
      t.equal(await codeOf(withKeys(database, files).of(tenant, site.id).rotate()), 'ERR_AUTHORITY_KEY_ABSENT');
    });
  });
});
