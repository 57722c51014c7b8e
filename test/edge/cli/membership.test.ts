import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeCrypto } from '@sparc/edge/ledger';
import { createNodeClock, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import { headToText, type EpochId } from '@sparc/protocol/ledger';
import { accept } from '@sparc/protocol/replication';
import { keyOf, member } from '../../support/roster.js';
import { sparc } from '../../support/sparc-command.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

/** The value that a command printed, or the code of its refusal. */
async function run(...args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await sparc([...args, '--json']);
  return exitCode === 0 ? JSON.parse(stdout) : (JSON.parse(stderr) as { code: string }).code;
}

/** A site with an authority, and a gateway `hall` beside those of `testSigner(1)` and `testSigner(2)`. */
async function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-membership-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const authority = join(folder, 'authority');
  const config = join(folder, 'gateway.json');
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  writeFileSync(
    config,
    JSON.stringify({ gateway: { name: 'hall' }, dataDir, buses: [], mesh: { listen: '127.0.0.1:0' } }),
  );
  await run('authority', 'init', authority, '--site', 'harbour');
  const deps = { clock: createNodeClock(), random: nodeRandom, verify: verifySignature };
  const opened = <T>(work: (folder: AuthorityFolder) => T): T => {
    const authorityFolder = AuthorityFolder.open(authority, deps);
    try {
      return work(authorityFolder);
    } finally {
      authorityFolder.close();
    }
  };
  opened((site) => site.enrol([member(1), member(2)]));
  const file = (name: string) => join(folder, name);
  const joins = async () => {
    await run('gateway', 'request', '--config', config, '--out', file('hall.request'));
    await run('authority', 'enrol', file('hall.request'), '--dir', authority);
    await run('gateway', 'join', file('hall.admission'), '--config', config);
  };
  /** As the exchange between gateways brings it. */
  const bringLog = () =>
    opened(({ log }) => {
      const store = SqliteReplicaStore.open(join(dataDir, REPLICA_FILE));
      for (const batch of log.batches()) {
        const author = Buffer.from(batch.author).toString('hex');
        const hashAt = (epoch: EpochId, sequence: number) => store.hashAt(author, epoch, sequence);
        const accepted = accept(nodeCrypto, store.logs().get(author) ?? [], hashAt, batch);
        if (accepted.kind === 'append') store.append([accepted], []);
      }
      store.close();
    });
  return { authority, config, file, joins, bringLog };
}

t.test('a gateway is expelled with the heads that another one printed, in either form', async (t) => {
  const { authority, file } = await scene(t);
  const [one, two] = [new TestChain(testSigner(1)), new TestChain(testSigner(2))];
  const heads = [two.open(1).head, one.open(4).head, two.open(2, [{ name: 'door.opened', doorId: 'front' }]).head];
  writeFileSync(file('heads.txt'), heads.map(headToText).join('\n'));
  const expelled = await run('roster', 'expel', keyOf(2), '--heads', file('heads.txt'), '--dir', authority);
  t.match(expelled, {
    epoch: 3,
    members: [{ key: keyOf(1) }],
    expelled: [{ key: keyOf(2), name: member(2).name, counts: ['2.2', '1.1'] }],
  });
  writeFileSync(file('heads.json'), `[${heads.map(headToText).join()}]`);
  t.equal(
    await run('roster', 'expel', keyOf(2), '--heads', file('heads.json'), '--dir', authority),
    'ERR_MESH_MEMBER_UNKNOWN',
  );
  t.match(await run('roster', 'expel', keyOf(1), '--heads', file('heads.json'), '--dir', authority), {
    epoch: 4,
    members: [],
    expelled: [{ key: keyOf(2) }, { key: keyOf(1), counts: ['4.1'] }],
  });
});

t.test('without heads the command says that nothing of the ledger counts', async (t) => {
  const { authority } = await scene(t);
  const { stdout } = await sparc(['roster', 'expel', keyOf(2), '--dir', authority]);
  t.match(stdout, 'EXPELLED');
  t.match(stdout, 'NOTHING of its ledger counts');
});

t.test('heads that are of others, or no heads, expel nobody', async (t) => {
  const { authority, file } = await scene(t);
  const { head } = new TestChain(testSigner(1)).open(1);
  writeFileSync(file('others.txt'), headToText(head));
  writeFileSync(file('letter.txt'), 'a letter');
  writeFileSync(file('forged.txt'), headToText({ ...head, author: testSigner(2).publicKey }));
  const expel = (name: string) => run('roster', 'expel', keyOf(2), '--heads', file(name), '--dir', authority);
  t.equal(await expel('others.txt'), 'ERR_MESH_HEAD_INVALID');
  t.equal(await expel('forged.txt'), 'ERR_MESH_HEAD_INVALID');
  t.equal(await expel('letter.txt'), 'ERR_CLI_USAGE');
  t.equal(await expel('missing.txt'), 'ERR_CLI_READ_FAILED');
});

t.test('what is delegated and withdrawn is shown at a gateway that has the log of the authority', async (t) => {
  const { authority, config, joins, bringLog } = await scene(t);
  await joins();
  const delegate = ['authority', 'delegate', keyOf(9), '--name', 'Ada', '--right', 'revoke', 'mode', '--for', '30d'];
  const made = await run(...delegate, '--dir', authority);
  t.match(made, { operators: [{ key: keyOf(9), name: 'Ada', rights: ['revoke', 'mode'] }] });
  t.match(await run('roster', 'show', '--config', config), { operators: [] }, 'not before it is here');
  bringLog();
  t.match(await run('roster', 'show', '--config', config), made);
  t.match((await sparc(['roster', 'show', '--config', config])).stdout, /Ada.*revoke mode/);
  t.strictSame(await run('authority', 'withdraw', keyOf(9), '--dir', authority), { operators: [] });
  bringLog();
  t.match(await run('roster', 'show', '--config', config), { operators: [] });
  t.equal(await run('authority', 'withdraw', keyOf(9), '--dir', authority), 'ERR_MESH_DELEGATION_INVALID');
  t.equal(
    await run('authority', 'delegate', keyOf(9), '--name', 'Ada', '--right', 'all', '--for', '1d', '--dir', authority),
    'ERR_MESH_DELEGATION_INVALID',
  );
});

t.test('a secret that is rotated has the next number', async (t) => {
  const { authority } = await scene(t);
  t.strictSame(await run('authority', 'rotate', '--dir', authority), { number: 2 });
  t.strictSame(await run('authority', 'rotate', '--dir', authority), { number: 3 });
});
