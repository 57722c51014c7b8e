import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { MeshNotice, MeshView } from '@sparc/edge/api';
import { AuthorityFolder } from '@sparc/edge/authority';
import { InboxFolder } from '@sparc/edge/courier';
import { joinSite, readMembership } from '@sparc/edge/membership';
import { createNodeClock, loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { SiteMesh } from '@sparc/edge/site-mesh';
import { headFromText } from '@sparc/protocol/ledger';
import { POLICY_KIND } from '@sparc/protocol/policy-revision';
import { openRequest, signRequest } from '@sparc/protocol/roster';
import { freePort } from '@sparc/simulator/live';
import { writeJournal } from '../../support/journal.js';
import { eventually } from '../../support/peers.js';
import { keyOf } from '../../support/roster.js';
import { TIMELESS } from '../../support/timeless.js';

const clock = createNodeClock();

/** The mesh part of one gateway, over libp2p on loopback. */
class TestGateway {
  readonly notices: MeshNotice[] = [];
  readonly inbox: InboxFolder;
  mesh: SiteMesh;

  constructor(
    readonly name: string,
    readonly dataDir: string,
    private readonly port: number,
  ) {
    this.inbox = new InboxFolder(dataDir);
    this.mesh = this.#create();
  }

  get key(): string {
    return Buffer.from(loadIdentity(this.dataDir).publicKey).toString('hex');
  }

  get request(): Uint8Array {
    return signRequest(loadIdentity(this.dataDir), { name: this.name, addresses: [`127.0.0.1:${this.port}`] });
  }

  get view(): MeshView {
    return this.mesh.view();
  }

  async restart(): Promise<void> {
    await this.mesh.stop();
    this.mesh = this.#create();
    this.mesh.start();
  }

  isLinkedWith({ key }: TestGateway): boolean {
    return this.view.members.some((member) => member.key === key && member.hereSinceUnixMs !== undefined);
  }

  /** Of the log of another gateway. */
  heldOf({ key }: TestGateway): number {
    return this.view.logs.find(({ author }) => author === key)?.heads[0]?.sequence ?? 0;
  }

  async record(count: number): Promise<void> {
    await writeJournal(this.dataDir, count);
    this.mesh.recorded();
  }

  secrets() {
    return readMembership(this.dataDir, verifySignature)?.secrets;
  }

  #create(): SiteMesh {
    const log = { info: () => undefined, warn: () => undefined };
    const tell = (notice: MeshNotice) => void this.notices.push(notice);
    return new SiteMesh(
      {
        clock,
        random: nodeRandom,
        log,
        tell,
        policyInForce: () => ({}),
        unread: () => [],
        time: TIMELESS,
        isFieldSilent: () => false,
        stored: () => undefined,
        policyHere: () => undefined,
        reaches: () => undefined,
        copied: () => undefined,
        onDirective: () => undefined,
      },
      this.dataDir,
      {
        listen: { host: '127.0.0.1', port: this.port },
        discover: false,
        peers: {},
      },
    );
  }
}

/** A site of three gateways that are linked, and its authority. */
async function setUp(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-authority-mesh-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const authority = AuthorityFolder.create(join(folder, 'authority'), 'harbour', {
    clock,
    random: nodeRandom,
    verify: verifySignature,
  });
  t.teardown(() => authority.close());
  const gateways: TestGateway[] = [];
  for (const name of ['hall', 'gate', 'cellar']) {
    const gateway = new TestGateway(name, join(folder, name), await freePort());
    await writeJournal(gateway.dataDir, 2);
    gateways.push(gateway);
  }
  const admissions = authority.enrol(gateways.map(({ request }) => openRequest(verifySignature, request).member));
  for (const [index, { dataDir, mesh }] of gateways.entries()) {
    joinSite(dataDir, verifySignature, undefined, admissions[index] ?? new Uint8Array(), clock.wall().unixMs);
    mesh.start();
  }
  t.teardown(() => Promise.all(gateways.map(({ mesh }) => mesh.stop())));
  const [hall, gate, cellar] = gateways as [TestGateway, TestGateway, TestGateway];
  await eventually('all have the logs of all', () =>
    gateways.every((one) => gateways.every((other) => one.heldOf(other) === 3)),
  );
  /** To one of the gateways alone. */
  const publish = (to: TestGateway) => {
    const pieces = [...authority.courier([])];
    const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    to.inbox.bring({ clock, random: nodeRandom }, { sizeBytes, pieces }, () => undefined);
  };
  return { authority, hall, gate, cellar, publish };
}

t.test('what the authority says to one gateway is done by all that are linked', async (t) => {
  const { authority, hall, gate, cellar, publish } = await setUp(t);
  const heads = gate.view.logs.filter(({ author }) => author === cellar.key).flatMap((log) => log.heads);
  authority.delegate({ operator: keyOf(9), name: 'Ada', rights: ['revoke'], scope: [], notAfterUnixMs: 2 ** 43 });
  authority.expel(
    cellar.key,
    heads.map((head) => headFromText(JSON.stringify(head))),
  );
  publish(hall);
  await eventually('the others hear of it from the first', () => gate.view.roster?.epoch === authority.roster.epoch);
  await eventually('it is hung up on', () => !hall.isLinkedWith(cellar) && !gate.isLinkedWith(cellar));
  await eventually('both have the secret that it has not', () =>
    [hall, gate].every((each) => each.secrets()?.present.number === 2),
  );
  await eventually('the one before is forgotten when both have it', () =>
    [hall, gate].every((each) => each.secrets()?.previous.length === 0),
  );
  t.equal(cellar.secrets()?.present.number, 1);
  t.match(gate.view.operators, [{ key: keyOf(9), name: 'Ada', rights: ['revoke'] }]);

  await cellar.record(1);
  await hall.record(1);
  await eventually('the others go on', () => gate.heldOf(hall) === 2 && gate.isLinkedWith(hall));
  await gate.restart();
  await eventually('a link by the new secret', () => gate.isLinkedWith(hall) && gate.heldOf(hall) === 2);
  t.strictSame(
    gate.view.logs.find(({ author }) => author === cellar.key)?.heads,
    heads,
    'of the expelled one counts what was attested',
  );
  for (const { name, notices } of [hall, gate]) {
    const told = notices.filter(({ kind }) => kind === 'expelled');
    t.strictSame(told, [{ kind: 'expelled', neighbour: cellar.key, name: 'cellar', epoch: 3 }], name);
    t.strictSame(
      notices.filter(({ kind }) => kind === 'refused'),
      [],
    );
  }
});

t.test('what the authority says and no gateway can take alarms once, also over a restart', async (t) => {
  const { authority, hall, publish } = await setUp(t);
  const alarms = () => hall.notices.filter(({ kind }) => kind === 'refused');
  authority.log.append([{ kind: POLICY_KIND, body: Uint8Array.of(1) }]);
  publish(hall);
  await eventually('it alarms', () => alarms().length === 1);
  t.match(alarms(), [{ entryKind: POLICY_KIND, code: 'ERR_LEDGER_MALFORMED' }]);
  await hall.restart();
  await eventually('it runs again', () => hall.view.state === 'running');
  authority.delegate({ operator: keyOf(9), name: 'Ada', rights: ['mode'], scope: [], notAfterUnixMs: 2 ** 47 });
  publish(hall);
  await eventually('it reads again', () => hall.view.operators.length === 1);
  t.equal(alarms().length, 1);
  authority.log.append([{ kind: POLICY_KIND, body: Uint8Array.of(1) }]);
  publish(hall);
  await eventually('another one is another alarm', () => alarms().length === 2);
});

t.test('a gateway that was away finds the new secret and roster with the one before', async (t) => {
  const { authority, hall, gate, cellar, publish } = await setUp(t);
  await gate.mesh.stop();
  authority.rotate();
  publish(hall);
  await eventually('those that are here have it', () =>
    [hall, cellar].every((each) => each.secrets()?.present.number === 2),
  );
  t.equal(hall.secrets()?.previous.length, 1, 'the one before is taken as long as one has not the present one');
  await gate.restart();
  await eventually('it is linked and has it', () => gate.isLinkedWith(hall) && gate.secrets()?.present.number === 2);
  await eventually('nobody needs the one before', () =>
    [hall, gate, cellar].every((each) => each.secrets()?.previous.length === 0),
  );
});
