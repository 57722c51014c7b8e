import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeCrypto } from '@sparc/edge/ledger';
import { createSigningKey, verifySignature } from '@sparc/edge/platform';
import { ROSTER_VALID_MS } from '@sparc/protocol/authority';
import { readCourier } from '@sparc/protocol/courier';
import { Entitlements } from '@sparc/protocol/directive';
import { compareHlc } from '@sparc/protocol/hlc';
import { decodeBatch, encodeBatch, EntryContent } from '@sparc/protocol/ledger';
import { accept, tipsOf, type AuthorLog } from '@sparc/protocol/replication';
import {
  commonSecret,
  Delegation,
  DELEGATION_KIND,
  newestOf,
  MEMBERS_MAX,
  openAdmission,
  SealedSiteSecret,
  SITE_SECRET_KIND,
  unsealSiteSecret,
} from '@sparc/protocol/roster';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { keyOf, member } from '../../support/roster.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { codeOf } from '../membership/membership-scene.js';

const START = Date.parse('2026-03-02T08:00:00Z');

function scene(t: Test) {
  const parent = mkdtempSync(join(tmpdir(), 'sparc-authority-'));
  const folders: AuthorityFolder[] = [];
  t.teardown(() => {
    for (const folder of folders) folder.close();
    rmSync(parent, { recursive: true });
  });
  const path = join(parent, 'harbour');
  const clock = new VirtualClock({ startUnixMs: START });
  const deps = { clock, random: new SeededRandom(1), verify: verifySignature };
  const kept = (folder: AuthorityFolder) => {
    folders.push(folder);
    return folder;
  };
  const create = () => kept(AuthorityFolder.create(path, 'harbour', deps));
  const open = () => kept(AuthorityFolder.open(path, deps));
  /** Works on the folder as one command does. */
  const command = <T>(work: (folder: AuthorityFolder) => T): T => {
    const folder = open();
    try {
      return work(folder);
    } finally {
      folder.close();
    }
  };
  return { parent, path, clock, deps, open, create, command };
}
const admitted = (seed: number, file: Uint8Array | undefined) =>
  openAdmission(verifySignature, { key: keyOf(seed), seed: new Uint8Array(32).fill(seed) }, file ?? new Uint8Array());

t.test('the authority of a new site has nobody on its roster, and its keys are its owner’s', async (t) => {
  const { path, create, command } = scene(t);
  const folder = create();
  const { publicKey, pinKey, roster, siteSecret } = folder;
  folder.close();
  t.match(roster, { site: 'harbour', epoch: 1, issuedUnixMs: START, notAfterUnixMs: START + ROSTER_VALID_MS });
  t.strictSame(roster.members, []);
  for (const name of ['authority.key', 'pin.key']) t.equal(statSync(join(path, name)).mode & 0o777, 0o600, name);
  t.notOk(readdirSync(path).some((name) => readFileSync(join(path, name)).includes(Buffer.from(siteSecret.secret))));
  command((again) => {
    t.strictSame(again.publicKey, publicKey);
    t.strictSame(again.pinKey, pinKey);
    t.strictSame(again.roster, roster);
    t.strictSame(again.siteSecret, siteSecret);
  });
});

t.test('a second authority never takes the place of one that is there', async (t) => {
  const { path, create } = scene(t);
  create();
  const before = readFileSync(join(path, 'authority.key'));
  t.equal(codeOf(create), 'ERR_MESH_AUTHORITY_PRESENT');
  t.strictSame(readFileSync(join(path, 'authority.key')), before);
});

t.test('one command at a time works on the folder', async (t) => {
  const { create, open, command } = scene(t);
  const folder = create();
  t.equal(codeOf(open), 'ERR_MESH_AUTHORITY_IN_USE');
  folder.close();
  t.equal(
    codeOf(() => command(() => undefined)),
    'done',
  );
});

t.test('gateways that are enrolled together take the same roster and secrets home', async (t) => {
  const { create, clock } = scene(t);
  const folder = create();
  await clock.advance(5_000);
  const files = folder.enrol([member(1), member(2)]);
  const [one, two] = [admitted(1, files[0]), admitted(2, files[1])];
  t.strictSame(one.authority, folder.publicKey);
  t.strictSame(one.roster, folder.roster);
  t.strictSame(one.signed, two.signed);
  for (const { siteSecret, pinKey } of [one, two]) {
    t.strictSame(siteSecret, folder.siteSecret);
    t.strictSame(pinKey, folder.pinKey);
  }
  t.match(one.roster, { epoch: 2, issuedUnixMs: START + 5_000, members: [member(1), member(2)] });
});

t.test('every site has secrets of its own', async (t) => {
  const { parent, deps, create } = scene(t);
  const elsewhere = AuthorityFolder.create(join(parent, 'airport'), 'airport', deps);
  const folder = create();
  t.notSame(folder.siteSecret.secret, elsewhere.siteSecret.secret);
  t.notSame(folder.pinKey, elsewhere.pinKey);
  elsewhere.close();
});

t.test('each enrolment adds to the roster, and one that asks again is there once, as it asked last', async (t) => {
  const { create, command } = scene(t);
  create().close();
  const moved = { ...member(1), addresses: ['10.9.9.9:7400'] };
  for (const each of [member(1), member(2), moved]) command((folder) => folder.enrol([each]));
  const roster = command((folder) => folder.roster);
  t.match(roster, { epoch: 4 });
  t.strictSame(roster.members, [moved, member(2)]);
});

t.test('a site takes as many gateways as it may have, and not one more', async (t) => {
  const { create } = scene(t);
  const folder = create();
  folder.enrol(Array.from({ length: MEMBERS_MAX }, (_, index) => member(index + 1)));
  t.equal(
    codeOf(() => folder.enrol([member(100)])),
    'ERR_MESH_MEMBERS_MAX',
  );
  t.equal(folder.roster.epoch, 2);
  t.equal(folder.roster.members.length, MEMBERS_MAX);
  t.equal(
    codeOf(() => folder.enrol([member(1)])),
    'done',
    'one that is there can ask again',
  );
});

t.test('a key that nothing can be sealed to gets nobody onto the roster', async (t) => {
  const { create } = scene(t);
  const folder = create();
  const neutral = `01${'00'.repeat(31)}`;
  t.equal(
    codeOf(() => folder.enrol([member(1), { ...member(2), key: neutral }])),
    'ERR_MESH_REQUEST_INVALID',
  );
  t.equal(folder.roster.epoch, 1);
});

t.test('an expelled gateway is off the roster for good, and the new secret is not sealed to it', async (t) => {
  const { create, command } = scene(t);
  create().close();
  command((folder) => folder.enrol([member(1), member(2)]));
  const before = command((folder) => folder.siteSecret);
  const { head } = new TestChain(testSigner(2)).open(1);
  command((folder) => folder.expel(keyOf(2), [head]));
  command((folder) => {
    t.match(folder.roster, { epoch: 3, members: [member(1)] });
    t.strictSame(folder.roster.expelled, [{ key: keyOf(2), name: member(2).name, heads: [head] }]);
    t.equal(folder.siteSecret.number, before.number + 1);
    t.notSame(folder.siteSecret.secret, before.secret);
    const newest = SealedSiteSecret.decode(bodiesOf(folder, SITE_SECRET_KIND).at(-1) ?? new Uint8Array());
    const opens = (seed: number) => unsealSiteSecret({ key: keyOf(seed), seed: new Uint8Array(32).fill(seed) }, newest);
    t.strictSame(opens(1), folder.siteSecret);
    t.equal(opens(2), undefined);
    for (const key of [keyOf(2), keyOf(3)])
      t.equal(
        codeOf(() => folder.expel(key, [])),
        'ERR_MESH_MEMBER_UNKNOWN',
      );
    t.equal(
      codeOf(() => folder.enrol([member(2)])),
      'ERR_MESH_EXPELLED',
    );
  });
});

t.test('nobody is expelled by heads that it did not sign', async (t) => {
  const { create } = scene(t);
  const folder = create();
  folder.enrol([member(1), member(2)]);
  const { head } = new TestChain(testSigner(1)).open(1);
  for (const wrong of [head, { ...head, author: testSigner(2).publicKey }]) {
    t.equal(
      codeOf(() => folder.expel(keyOf(2), [wrong])),
      'ERR_MESH_HEAD_INVALID',
    );
  }
  t.equal(folder.roster.epoch, 2);
});

t.test('what it delegates and how it rotates its secret is in its log, each command an epoch of it', async (t) => {
  const { create, command } = scene(t);
  create().close();
  const delegated = { operator: keyOf(9), name: 'Ada', rights: ['revoke'], scope: [], notAfterUnixMs: START + 1 };
  command((folder) => folder.delegate(delegated));
  command((folder) => folder.rotate());
  command((folder) => {
    t.strictSame(
      bodiesOf(folder, DELEGATION_KIND).map((body) => Delegation.decode(body)),
      [{ ...delegated, issuedUnixMs: START }],
    );
    t.equal(folder.siteSecret.number, 2);
    t.equal(
      codeOf(() => folder.delegate({ ...delegated, rights: ['everything'] })),
      'ERR_MESH_DELEGATION_INVALID',
    );
    t.match(folder.log.head(), { site: 'harbour', epoch: { counter: 3 }, sequence: 2 });
  });
});

t.test('a courier opens for whoever heard last of any expulsion, however many there were since', async (t) => {
  const { create, command } = scene(t);
  create().close();
  command((folder) => folder.enrol([member(1), member(2), member(3), member(4)]));
  const secrets = [command((folder) => folder.siteSecret.secret)];
  for (const expelled of [2, 3]) {
    command((folder) => {
      folder.expel(keyOf(expelled), []);
      secrets.push(folder.siteSecret.secret);
    });
  }
  command((folder) => {
    for (const secret of secrets) {
      const items = [...readCourier(nodeCrypto, [secret], folder.courier([]), () => undefined)];
      t.equal(items.length, [...folder.log.batches()].length);
    }
  });
});

t.test('a courier for a cloud opens by what its key and that of the authority have in common', async (t) => {
  const { create } = scene(t);
  const folder = create();
  const cloud = testSigner(7);
  const opened = (secret: Uint8Array) => [
    ...readCourier(nodeCrypto, [secret], folder.courier([], cloud.publicKey), () => undefined),
  ];
  t.equal(opened(commonSecret(new Uint8Array(32).fill(7), folder.publicKey)).length, 1);
  t.equal(opened(folder.siteSecret.secret).length, 1, 'for gateways as well');
  t.throws(() => opened(commonSecret(new Uint8Array(32).fill(8), folder.publicKey)), {
    code: 'ERR_COURIER_OTHER_SITE',
  });
});

t.test('a gateway that is enrolled before the site hears of an expulsion can be met by the others', async (t) => {
  const { create, command } = scene(t);
  create().close();
  const before = command((folder) => {
    folder.enrol([member(1), member(2)]);
    return folder.siteSecret.secret;
  });
  const between = command((folder) => {
    folder.expel(keyOf(2), []);
    return folder.siteSecret.secret;
  });
  command((folder) => folder.rotate());
  const [admission] = command((folder) => folder.enrol([member(3)]));
  t.strictSame(admitted(3, admission).previousSecrets, [between, before]);
});

t.test('what is withdrawn is withdrawn for every gateway, also by a clock behind the one that delegated', async (t) => {
  const { path, deps, create, command } = scene(t);
  create().close();
  const delegated = { operator: keyOf(9), name: 'Ada', rights: ['revoke'], scope: [], notAfterUnixMs: START + 90_000 };
  command((folder) => folder.delegate(delegated));
  const behind = new VirtualClock({ startUnixMs: START - 60_000 });
  const folder = AuthorityFolder.open(path, { ...deps, clock: behind });
  t.teardown(() => folder.close());
  folder.withdraw(keyOf(9));
  t.strictSame(folder.operators, []);
  const taken = new Entitlements(undefined);
  for (const body of bodiesOf(folder, DELEGATION_KIND)) taken.take(Delegation.decode(body));
  t.strictSame(taken.operators, []);
  t.equal(
    codeOf(() => folder.withdraw(keyOf(9))),
    'ERR_MESH_DELEGATION_INVALID',
    'and once',
  );
  folder.delegate(delegated);
  t.strictSame(folder.operators, [{ ...delegated, issuedUnixMs: START + 2 }], 'and can be given again');
});

t.test('what is withdrawn ends when it is withdrawn, whatever the clock does meanwhile', async (t) => {
  const { path, deps, clock, create, command } = scene(t);
  create().close();
  let readCount = 0;
  const running = {
    monotonicMs: () => clock.monotonicMs(),
    setTimer: clock.setTimer.bind(clock),
    wall: () => ({ ...clock.wall(), unixMs: START + (readCount += 1) }),
  };
  command((folder) =>
    folder.delegate({ operator: keyOf(9), name: 'Ada', rights: ['mode'], scope: [], notAfterUnixMs: START + 90_000 }),
  );
  const folder = AuthorityFolder.open(path, { ...deps, clock: running });
  t.teardown(() => folder.close());
  folder.withdraw(keyOf(9));
  const last = Delegation.decode(bodiesOf(folder, DELEGATION_KIND).at(-1) ?? new Uint8Array());
  t.equal(last.notAfterUnixMs, last.issuedUnixMs);
});

t.test('its log is one that a gateway takes batch by batch', async (t) => {
  const { create, command } = scene(t);
  create().close();
  command((folder) => {
    folder.enrol([member(1)]);
    folder.rotate();
  });
  command((folder) => {
    folder.log.append([{ kind: 'policy', body: Uint8Array.of(1) }]);
    let log: AuthorLog = [];
    for (const batch of folder.log.batches()) {
      const accepted = accept(nodeCrypto, log, () => undefined, decodeBatch(encodeBatch(batch)));
      if (accepted.kind !== 'append') throw new Error(accepted.kind);
      t.notOk(accepted.fork);
      const { head, previous } = accepted;
      log = [...log, { head, ...(previous !== undefined && { previous }) }];
    }
    t.strictSame(tipsOf(log), [folder.log.head()]);
    const kinds = [...folder.log.entries()].map(({ kind }) => kind);
    t.strictSame(kinds, ['epoch', 'roster', 'site-secret', 'epoch', 'roster', 'site-secret', 'epoch', 'policy']);
    const stamps = [...folder.log.batches()].flatMap(({ contents }) =>
      contents.map((one) => EntryContent.decode(one).hlc),
    );
    const inOrder = stamps.slice(1).every((stamp, index) => compareHlc(stamp, stamps[index] ?? stamp) > 0);
    t.ok(inOrder, 'its clock goes on from command to command');
  });
});

t.test('an authority whose folder was set back is believed again, and what it did since is not undone', async (t) => {
  const { parent, path, clock, create, command } = scene(t);
  create().close();
  const backup = join(parent, 'backup');
  cpSync(path, backup, { recursive: true });
  command((folder) => folder.enrol([member(1)]));
  const lost = command((folder) => folder.roster);
  await clock.advance(60_000);
  rmSync(path, { recursive: true });
  cpSync(backup, path, { recursive: true });
  command((folder) => folder.enrol([member(2)]));
  const again = command((folder) => folder.roster);
  t.equal(again.epoch, lost.epoch);
  t.equal(newestOf(lost, again), again, 'the one that was issued later counts');
});

t.test(
  'an authority whose folder was set back is believed when it has expelled again whom it had expelled',
  async (t) => {
    const { parent, path, create, command } = scene(t);
    create().close();
    command((folder) => folder.enrol([member(1), member(2)]));
    const backup = join(parent, 'backup');
    cpSync(path, backup, { recursive: true });
    command((folder) => folder.expel(keyOf(2), []));
    const known = command((folder) => folder.roster);
    rmSync(path, { recursive: true });
    cpSync(backup, path, { recursive: true });
    command((folder) => folder.enrol([member(3)]));
    command((folder) => folder.enrol([member(4)]));
    const shown = command((folder) => folder.roster);
    t.equal(
      codeOf(() => newestOf(known, shown)),
      'ERR_MESH_ROSTER_SET_BACK',
    );
    command((folder) => folder.expel(keyOf(2), []));
    const again = command((folder) => folder.roster);
    t.equal(newestOf(known, again), again);
  },
);

t.test('a stick that cannot be written is not one that is damaged', async (t) => {
  for (const name of ['log.db-wal', 'authority.lock']) {
    const { path, create, open } = scene(t);
    create().close();
    rmSync(join(path, name), { force: true });
    mkdirSync(join(path, name));
    t.equal(codeOf(open), 'ERR_LEDGER_WRITE_FAILED', name);
  }
});

t.test('a folder that is missing, incomplete or damaged signs nothing', async (t) => {
  const damages: Record<string, (path: string) => void> = {
    'no folder': (path) => rmSync(path, { recursive: true }),
    'no key': (path) => rmSync(join(path, 'authority.key')),
    'no key of PIN hashes': (path) => rmSync(join(path, 'pin.key')),
    'no log': (path) => rmSync(join(path, 'log.db')),
    'a log that is empty': (path) => writeFileSync(join(path, 'log.db'), ''),
    'a log that is none': (path) => writeFileSync(join(path, 'log.db'), 'x'.repeat(4_096)),
    'the log of another authority': (path) => {
      rmSync(join(path, 'authority.key'));
      createSigningKey(join(path, 'authority.key'));
    },
    'a key that is none': (path) => writeFileSync(join(path, 'authority.key'), 'key'),
  };
  for (const [what, damage] of Object.entries(damages)) {
    const { path, create, open } = scene(t);
    create().close();
    damage(path);
    t.equal(codeOf(open), 'ERR_MESH_AUTHORITY_DAMAGED', what);
  }
  const { path, create, open } = scene(t);
  create().close();
  chmodSync(join(path, 'authority.key'), 0o644);
  t.equal(codeOf(open), 'ERR_CONFIG_SECRET_EXPOSED');
});

const bodiesOf = (folder: AuthorityFolder, kind: string): Uint8Array[] =>
  [...folder.log.entries()].filter((entry) => entry.kind === kind).map(({ body }) => body);
