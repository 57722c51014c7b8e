import t from 'tap';
import { DIRECTIVES_PACE, HEARD_ENTRIES_MAX, HEARD_PACE, REFUSED_PAUSE_MS } from '@sparc/edge/heard';
import { nodeCrypto } from '@sparc/edge/ledger';
import { directiveMessage, encodeSignedDirective, signDirective } from '@sparc/protocol/directive';
import { emptied, type Batch } from '@sparc/protocol/ledger';
import { Delegation, DELEGATION_KIND, ROSTER_KIND, signRoster, SignedRoster } from '@sparc/protocol/roster';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY, heardScene, namesOf, SELF } from './heard-scene.js';

const started = { name: 'gateway.started', detail: { name: 'north', buses: 'b1 b2' } } as const;
const lockdown = { name: 'site.lockdown', detail: { by: 'somebody' } } as const;
const strangerKey = testSigner(3).publicKey;
const liarKey = Buffer.from(testSigner(2).publicKey);
const opened = { name: 'door.opened', doorId: 'front' } as const;

t.test('what matters to a field is heard once, in the order of its author, with its place and stamp', (t) => {
  const { logs, hear, chain } = heardScene();
  const two = chain(2);
  logs.append(two.open(1, [started, opened]), two.add(lockdown), two.open(2, [started]));
  const heard = hear();
  t.strictSame(namesOf(heard), ['2 1.2 gateway.started', '2 1.4 site.lockdown', '2 2.2 gateway.started']);
  const [first] = heard.flatMap(({ entries }) => entries);
  t.match(first, { hlc: { unixMs: first?.wallUnixMs }, timeQuality: 'synced', record: started });
  t.strictSame(hear(), []);
  logs.append(two.add(opened), two.add(lockdown));
  t.strictSame(namesOf(hear()), ['2 2.4 site.lockdown']);
  t.end();
});

t.test('what was emptied says nothing, and is refused to nobody', (t) => {
  const { logs, hear, chain, refused } = heardScene();
  const moved = { name: 'area.moved', holderId: 'ada', detail: { to: 'hall', certain: 'true' } } as const;
  const two = chain(2);
  logs.append(two.open(1, [started, moved, lockdown]));
  logs.change = (batch) => ({ ...batch, contents: batch.contents.map((each) => emptied(nodeCrypto, each) ?? each) });
  t.strictSame(namesOf(hear()), ['2 1.2 gateway.started', '2 1.4 site.lockdown']);
  logs.change = (batch) => batch;
  logs.append(two.add(moved));
  t.strictSame(namesOf(hear()), ['2 1.5 area.moved']);
  t.strictSame(refused, []);
  t.end();
});

t.test('a start hears all of it anew, and says when it has', (t) => {
  const { logs, hear, chain, restart } = heardScene();
  t.match(hear(), [{ behind: [], entries: [], roster: { members: { length: 3 } } }]);
  const two = chain(2);
  const many = Array.from({ length: 2 * HEARD_ENTRIES_MAX }, () => lockdown);
  logs.append(two.open(1, many.slice(1)), two.add(lockdown));
  restart();
  const heard = hear();
  t.equal(namesOf(heard).length, many.length);
  t.ok(heard.every(({ entries }) => entries.length <= HEARD_ENTRIES_MAX));
  t.strictSame(
    heard.map(({ behind }) => behind.length),
    [...heard.slice(1).map(() => 1), 0],
    'with the last piece',
  );
  t.end();
});

t.test('what the own journal has and the logs of strangers are not heard', (t) => {
  const { journal, logs, hear, chain } = heardScene();
  const own = chain(SELF).open(1, [lockdown]);
  journal.append(own);
  logs.append(own, chain(4).open(1, [lockdown]));
  t.strictSame(namesOf(hear()), []);
  t.end();
});

t.test('what the own disk lost when it was set back is heard of the replicas, and once', (t) => {
  const { journal, logs, hear, chain, restart, refused } = heardScene();
  const lost = chain(SELF);
  const first = lost.open(1, [lockdown]);
  const restored = lost.branch();
  const after = restored.open(2, [lockdown], false, 77);
  journal.append(first, after);
  logs.append(first, lost.add(started, lockdown), lost.open(2, [lockdown]), after);
  t.strictSame(namesOf(hear()), ['1 1.3 gateway.started', '1 1.4 site.lockdown', '1 2.2 site.lockdown']);
  const more = restored.add(lockdown);
  journal.append(more);
  logs.append(more);
  t.strictSame(namesOf(hear()), []);
  restart();
  t.equal(namesOf(hear()).length, 3);
  t.strictSame(refused, []);
  t.end();
});

t.test('which epoch the own disk lost is told once all of it was read, whatever is in it', (t) => {
  const { journal, logs, hear, chain, restart } = heardScene();
  const lostEpochs = () => hear().flatMap(({ lostEpoch }) => lostEpoch ?? []);
  const lost = chain(SELF);
  const first = lost.open(1, [lockdown]);
  journal.append(first);
  logs.append(first, chain(2).open(9, [lockdown]));
  t.strictSame(lostEpochs(), [], 'none was lost');
  journal.append(lost.branch().open(2, [lockdown], false, 77));
  const many = Array.from({ length: 2 * HEARD_ENTRIES_MAX }, () => lockdown);
  logs.append(lost.open(2, many), lost.open(5, [opened]));
  t.strictSame(lostEpochs(), [5]);
  t.strictSame(lostEpochs(), []);
  logs.append(lost.add(opened));
  t.strictSame(lostEpochs(), [5], 'of a log that goes on');
  restart();
  t.strictSame(lostEpochs(), [5]);
  t.end();
});

t.test('a tail that does not follow on the own journal is not heard', (t) => {
  const { journal, logs, hear, chain, refused } = heardScene();
  const [own, forged] = [chain(SELF), chain(SELF)];
  journal.append(own.open(1, [lockdown]));
  logs.append(forged.open(1, [started]), forged.add(lockdown));
  t.strictSame(namesOf(hear()), []);
  t.strictSame(refused, [`${keyOf(SELF).slice(0, 4)} ERR_LEDGER_SIGNATURE_INVALID`]);
  t.end();
});

t.test('the authority is heard before anybody else', (t) => {
  const { logs, hear, chain } = heardScene();
  const [two, authority] = [chain(2), chain(AUTHORITY)];
  const delegation = {
    operator: keyOf(7),
    name: 'Ada',
    rights: ['mode'],
    issuedUnixMs: 1,
    notAfterUnixMs: 2,
    scope: [],
  };
  logs.append(
    two.open(1, [lockdown]),
    authority.open(1),
    authority.addBody(DELEGATION_KIND, Delegation.encode(delegation)),
  );
  const [first] = hear();
  t.strictSame(first?.delegations, [delegation]);
  logs.append(
    authority.addBody(DELEGATION_KIND, Uint8Array.of(1, 2, 3)),
    authority.addBody('unheard-of', Uint8Array.of()),
  );
  logs.append(authority.addBody(DELEGATION_KIND, Delegation.encode({ ...delegation, rights: [] })));
  t.match(hear(), [{ delegations: [{ rights: [] }] }], 'what cannot be read stops nothing');
  t.end();
});

t.test('what the authority directs is heard, and nothing else that it may say as if it were a gateway', (t) => {
  const { logs, hear, chain } = heardScene();
  const issuedUnixMs = 1_000;
  const revoke = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: 2_000, kind: 'revoke' } as const;
  const signed = signDirective(testSigner(AUTHORITY), { ...revoke, subject: 'credential', subjectId: 'ada-1' });
  const given = { name: 'directive.given', directive: encodeSignedDirective(signed) } as const;
  logs.append(chain(AUTHORITY).open(1, [lockdown, given, started]));
  const [entry, ...more] = hear().flatMap(({ entries }) => entries);
  t.strictSame(more, []);
  t.match(entry, {
    id: { author: keyOf(AUTHORITY), epoch: 1, sequence: 3 },
    directive: { directive: { kind: 'revoke', subjectId: 'ada-1' } },
  });
  t.end();
});

t.test('of a gateway that was expelled only what was attested is heard', (t) => {
  const { logs, hear, chain, restart } = heardScene();
  const [two, authority] = [chain(2), chain(AUTHORITY)];
  const commits = [two.open(1, [lockdown]), two.add(lockdown)];
  const attested = two.head;
  if (attested === undefined) throw new Error('it has a head');
  commits.push(two.add(lockdown), two.open(2, [lockdown]));
  const roster = rosterWith([1, 3].map(member), {
    epoch: 2,
    expelled: [{ key: keyOf(2), name: 'gateway-2', heads: [attested] }],
  });
  const signed = signRoster(testSigner(AUTHORITY), roster);
  logs.append(authority.open(1), authority.addBody(ROSTER_KIND, SignedRoster.encode(signed)), ...commits);
  const heard = hear();
  t.match(heard[0]?.roster, { expelled: [{ key: keyOf(2) }], members: { length: 2 } });
  t.strictSame(namesOf(heard), ['2 1.2 site.lockdown', '2 1.3 site.lockdown']);
  restart();
  t.strictSame(namesOf(hear()), ['2 1.2 site.lockdown', '2 1.3 site.lockdown']);
  t.end();
});

t.test(
  'of a gateway that an operator expelled what was attested is heard and no more, whatever the roster says later',
  (t) => {
    const { logs, hear, chain, expelled } = heardScene();
    const [two, authority] = [chain(2), chain(AUTHORITY)];
    logs.append(two.open(1, [lockdown]));
    const attested = two.head;
    if (attested === undefined) throw new Error('it has a head');
    t.strictSame(namesOf(hear()), ['2 1.2 site.lockdown']);
    expelled([{ key: keyOf(2), heads: [attested] }]);
    logs.append(two.add(lockdown));
    const heard = hear();
    t.match(heard[0]?.roster, { expelled: [{ key: keyOf(2) }], members: { length: 2 } });
    t.strictSame(namesOf(heard), ['2 1.2 site.lockdown'], 'once more, for whoever heard more of it');
    const signed = signRoster(testSigner(AUTHORITY), rosterWith([1, 2, 3].map(member), { epoch: 2 }));
    logs.append(authority.open(1), authority.addBody(ROSTER_KIND, SignedRoster.encode(signed)));
    t.match(hear(), [{ roster: { expelled: [{ key: keyOf(2) }], members: { length: 2 } }, entries: [] }]);
    t.end();
  },
);

t.test('an older roster, or one that somebody else signed, changes nothing', (t) => {
  const { logs, hear, chain } = heardScene(rosterWith([1, 2, 3].map(member), { epoch: 5 }));
  const authority = chain(AUTHORITY);
  const add = (signer: number, epoch: number) => {
    const signed = signRoster(testSigner(signer), rosterWith([member(1)], { epoch }));
    logs.append(authority.addBody(ROSTER_KIND, SignedRoster.encode(signed)));
  };
  logs.append(authority.open(1));
  t.match(hear(), [{ roster: { members: { length: 3 } } }]);
  add(AUTHORITY, 4);
  add(3, 6);
  t.strictSame(hear(), []);
  add(AUTHORITY, 6);
  t.match(hear(), [{ roster: { members: { length: 1 } } }]);
  t.end();
});

const lies: Readonly<Record<string, (batch: Batch) => Batch>> = {
  'an entry that was changed': ({ contents: [first = new Uint8Array(), ...rest], ...batch }) => ({
    ...batch,
    contents: [first.map((byte, at) => (at === first.length - 1 ? byte ^ 1 : byte)), ...rest],
  }),
  'an entry that was left out': (batch) => ({ ...batch, contents: batch.contents.slice(1) }),
  'the entries of another author': (batch) => ({ ...batch, author: strangerKey }),
  'the entries of another site': (batch) => ({ ...batch, site: 'elsewhere' }),
  'a batch without entries': (batch) => ({ ...batch, contents: [] }),
};

for (const [what, lie] of Object.entries(lies)) {
  t.test(`${what} is not heard, nor what is behind it, and others are`, async (t) => {
    const { clock, logs, hear, chain, refused } = heardScene();
    const [two, three] = [chain(2), chain(3)];
    logs.append(two.open(1, [started]), three.open(1, [started]));
    hear();
    logs.change = (batch) => (liarKey.equals(batch.author) ? lie(batch) : batch);
    logs.append(two.add(lockdown), two.add(lockdown), three.add(lockdown));
    const said = hear();
    t.strictSame(namesOf(said), ['3 1.3 site.lockdown']);
    t.same(
      said.flatMap((heard) => heard.refused ?? []),
      [keyOf(2)],
      'who reads it does not take it for heard',
    );
    t.equal(refused.length, 1);
    const { readsCount } = logs;
    hear();
    t.equal(logs.readsCount, readsCount, 'it is not tried at every look');
    logs.change = (batch) => batch;
    await clock.advance(REFUSED_PAUSE_MS);
    const again = hear();
    t.strictSame(namesOf(again), ['2 1.3 site.lockdown', '2 1.4 site.lockdown'], 'once it holds, it is heard');
    t.same(again.at(0)?.refused, []);
    t.equal(refused.length, 1);
  });
}

t.test('what an author signed as another history is not heard behind the one that was', (t) => {
  const { logs, hear, chain, refused } = heardScene();
  const [two, twin] = [chain(2), chain(2)];
  logs.append(two.open(1, [started]));
  hear();
  twin.open(1, [lockdown]);
  logs.append(twin.add(lockdown));
  t.strictSame(namesOf(hear()), []);
  t.equal(refused.length, 1);
  t.end();
});

t.test('a log that does not hold keeps nobody from knowing that the start is over', (t) => {
  const { logs, hear, chain } = heardScene();
  logs.append(chain(2).open(1, [lockdown]), chain(3).open(1, [lockdown]));
  logs.change = (batch) => ({ ...batch, contents: [] });
  t.strictSame(hear().at(-1)?.behind, []);
  t.end();
});

t.test('a member that says without end is heard at its pace, and others at once', async (t) => {
  const { clock, logs, hear, chain } = heardScene();
  const [two, three] = [chain(2), chain(3)];
  logs.append(two.open(1), three.open(1));
  hear();
  for (let said = 0; said < 2 * HEARD_PACE.burst; said += 512) {
    logs.append(two.add(...Array.from({ length: 512 }, () => lockdown)));
  }
  logs.append(three.add(lockdown));
  const first = namesOf(hear());
  t.equal(first[0], '3 1.2 site.lockdown');
  t.ok(first.length <= HEARD_PACE.burst + 1_024, String(first.length));
  await clock.advance(1_000);
  t.ok(namesOf(hear()).length <= HEARD_PACE.perSecond + 1_024);
  await clock.advance(60_000);
  hear();
  await clock.advance(60_000);
  hear();
  t.strictSame(namesOf(hear()), []);
});

t.test('directives are told as opened, and have a pace of their own', async (t) => {
  const { clock, logs, hear, chain } = heardScene();
  const two = chain(2);
  const text = JSON.stringify({ v: 1, kind: 'raise' });
  const signature = Buffer.from(testSigner(7).sign(directiveMessage(text))).toString('hex');
  const signed = (more: object) => encodeSignedDirective({ operator: keyOf(7), text, signature, ...more });
  const given = (directive: Uint8Array) => ({ name: 'directive.given', directive }) as const;
  logs.append(two.open(1, [given(signed({ text: '[[[[' })), given(signed({})), given(Uint8Array.of(9))]));
  const opened = hear().flatMap(({ entries }) => entries.map(({ directive }) => directive));
  t.match(opened, [
    { code: 'ERR_DIRECTIVE_INVALID', message: `${keyOf(7)} did not sign it` },
    { code: 'ERR_DIRECTIVE_INVALID' },
    { code: 'ERR_LEDGER_MALFORMED' },
  ]);
  const bad = given(Uint8Array.of(9));
  for (let said = 0; said < 2 * DIRECTIVES_PACE.burst; said += 500) {
    logs.append(two.add(...Array.from({ length: 500 }, () => bad)));
  }
  t.equal(namesOf(hear()).length, DIRECTIVES_PACE.burst - opened.length + 1);
  await clock.advance(10_000);
  const more = namesOf(hear()).length;
  t.ok(more > 0 && more <= 10 * DIRECTIVES_PACE.perSecond + 1, String(more));
});

t.test('who said much before the start is behind alone, and nobody waits for them', (t) => {
  const { logs, hear, chain } = heardScene();
  const [two, three] = [chain(2), chain(3)];
  logs.append(two.open(1), three.open(1, [lockdown]));
  for (let said = 0; said < 2 * HEARD_PACE.burst; said += 512) {
    logs.append(two.add(...Array.from({ length: 512 }, () => lockdown)));
  }
  t.strictSame(hear().at(-1)?.behind, [keyOf(2)]);
  t.end();
});

t.test('a member with many epochs is looked through once, and not for each of them', (t) => {
  const { logs, hear, chain } = heardScene();
  const two = chain(2);
  const epochsCount = 200;
  for (let epoch = 1; epoch <= epochsCount; epoch += 1) logs.append(two.open(epoch, [lockdown]));
  const log = logs.logs().get(keyOf(2)) ?? [];
  let lookedCount = 0;
  for (const held of log) {
    const { head } = held;
    Object.defineProperty(held, 'head', { get: () => ((lookedCount += 1), head) });
  }
  t.equal(namesOf(hear()).length, epochsCount);
  t.ok(lookedCount <= 10 * epochsCount, String(lookedCount));
  t.end();
});
