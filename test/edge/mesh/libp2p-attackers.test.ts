import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { multiaddr } from '@multiformats/multiaddr';
import t, { type Test } from 'tap';
import {
  createNode,
  Frame,
  FrameStream,
  openSession,
  SESSION_VERSION,
  stepSession,
  type Libp2pNetwork,
  type Node,
  type SessionState,
} from '@sparc/edge/mesh';
import { nodeRandom, verifySignature } from '@sparc/edge/platform';
import { MEMBERS_MAX, SITE_SECRETS_MAX, type SignedRoster } from '@sparc/protocol/roster';
import { fasterClock, MeshSite, type TestMember } from '../../support/mesh-site.js';
import { MeshWitness } from '../../support/mesh-witness.js';
import { eventually } from '../../support/peers.js';

const SESSION = '/sparc/session/1';
const RANGE = '/sparc/range/1';
/** Of what a caller says first: salt and a tag for each secret. */
const CALL_BYTES = 16 + SITE_SECRETS_MAX * 16;
type Connection = Awaited<ReturnType<Node['dial']>>;
type RawStream = Awaited<ReturnType<Connection['newStream']>>;

/** Two honest gateways that hear each other; the keys of a third member are the attacker's. */
class Scene {
  readonly witness = new MeshWitness();
  readonly friend = new MeshWitness();
  readonly #nodes: Node[] = [];

  private constructor(
    readonly site: MeshSite,
    readonly victim: Libp2pNetwork,
    private readonly friendly: Libp2pNetwork,
  ) {}

  static async set(t: Test, factor = 1): Promise<Scene> {
    const site = await MeshSite.create(3, fasterClock(factor));
    const scene = new Scene(site, site.network(memberAt(site, 0)), site.network(memberAt(site, 1)));
    t.teardown(() => scene.#close());
    await scene.victim.start(scene.witness);
    await scene.friendly.start(scene.friend);
    await eventually('the two are here', () => scene.witness.here.size === 1 && scene.friend.here.size === 1);
    return scene;
  }

  member(index: number): TestMember {
    return memberAt(this.site, index);
  }

  get attacker(): TestMember {
    return this.member(2);
  }

  /** libp2p with keys of its choice, at the door of the victim. */
  async node(as: TestMember, siteSecret = this.site.siteSecret): Promise<Node> {
    const siteSecrets = () => ({ present: siteSecret, previous: [] });
    const anybody = { siteSecrets, mayCall: () => true, mayBeCalledBy: () => true };
    const listen = { host: '127.0.0.1', port: as.port };
    const options = { seed: as.seed, publicKey: as.signer.publicKey, listen, discover: false };
    const node = await createNode(options, anybody, nodeRandom);
    this.#nodes.push(node);
    return node;
  }

  call(node: Node): Promise<Connection> {
    return node.dial(multiaddr(`/ip4/127.0.0.1/tcp/${this.member(0).port}`), { force: true });
  }

  /** A member that behaves until it is let in. */
  async admitted(as?: Node): Promise<{ node: Node; connection: Connection; stream: RawStream; frames: FrameStream }> {
    const node = as ?? (await this.node(this.attacker));
    const connection = await this.call(node);
    const stream = await connection.newStream(SESSION);
    const frames = new FrameStream(stream);
    await this.greet(frames);
    await eventually('the attacker is let in', () => this.witness.here.has(this.attacker.key));
    return { node, connection, stream, frames };
  }

  /** The honest two still have their first link, and it carries messages. */
  async assertFriendsUndisturbed(t: Test): Promise<void> {
    const heardCount = this.witness.heardFrom(this.member(1).key).length;
    this.friendly.send(this.member(0).key, new Uint8Array([1]));
    await eventually('it hears its friend', () => this.witness.heardFrom(this.member(1).key).length > heardCount);
    t.same(this.friend.history, [`+${this.member(0).key}`], 'and the link is the first one still');
  }

  /** As an honest member does, until the session is open. */
  async greet(frames: FrameStream): Promise<void> {
    const { siteId } = this.site;
    const { signer } = this.attacker;
    const roster: SignedRoster = this.site.roster;
    const hello = { version: SESSION_VERSION, site: siteId, nonce: nodeRandom.bytes(16), roster };
    const always = { admits: () => true, isWanted: () => true, time: () => undefined, isFieldSilent: () => false };
    const site = { siteId, signer, verify: verifySignature, ...always };
    let { state, effects } = openSession(hello, 0);
    for (;;) {
      for (const effect of effects) if (effect.kind === 'frame') await frames.write(Frame.encode(effect.frame));
      if (isOver(state)) return;
      const frame = Frame.decode((await frames.read()) ?? new Uint8Array());
      ({ state, effects } = stepSession(state, 0, { kind: 'frame', frame }, this.member(0).key, site));
    }
  }

  async #close(): Promise<void> {
    for (const node of this.#nodes) await node.stop();
    await this.site.close();
  }
}

/** The same stream, which says each byte alone. */
function inSingleBytes(stream: RawStream): RawStream {
  const send = stream.send.bind(stream);
  stream.send = (data) => [...data.subarray()].map((byte) => send(new Uint8Array([byte]))).every(Boolean);
  return stream;
}

const isOver = ({ phase }: SessionState): boolean => phase === 'open' || phase === 'ended';

function memberAt(site: MeshSite, index: number): TestMember {
  const found = site.members[index];
  if (found === undefined) throw new Error('three members');
  return found;
}

t.test('whoever is not on the roster is never let in, with the secret of the site and all', async (t) => {
  const scene = await Scene.set(t);
  const stranger = await scene.site.stranger(77);
  const witness = new MeshWitness();
  await scene.site.network(stranger).start(witness);
  await eventually('it was refused', () => scene.site.logs.some((line) => line.includes('not on the roster')));
  t.equal(witness.here.size, 0);
  t.equal(scene.witness.history.length, 1);
  await scene.assertFriendsUndisturbed(t);
});

t.test('a member with another secret is not even heard', async (t) => {
  const scene = await Scene.set(t);
  const node = await scene.node(scene.attacker, new Uint8Array(32).fill(8));
  await t.rejects(scene.call(node));
  t.equal(scene.witness.history.length, 1);
  await scene.assertFriendsUndisturbed(t);
});

/** Says something to a port, and what comes back until it is hung up on. */
async function answerOf(port: number, say: Uint8Array): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const heard: Buffer[] = [];
  let isOver = false;
  socket.on('data', (bytes: Buffer) => heard.push(bytes));
  socket.on('error', () => undefined);
  socket.on('close', () => (isOver = true));
  socket.write(say);
  await eventually('it is hung up on', () => isOver, 20_000);
  return Buffer.concat(heard);
}

t.test('whoever has not the secret of the site hears nothing at its door, whatever it says', async (t) => {
  const scene = await Scene.set(t);
  const { port } = scene.member(0);
  const libp2pWithoutSecret = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n');
  for (const say of [
    nodeRandom.bytes(CALL_BYTES),
    nodeRandom.bytes(5_000),
    new Uint8Array(CALL_BYTES),
    libp2pWithoutSecret,
  ]) {
    // Whoever says too little is waited for.
    const enough = Buffer.concat([say, new Uint8Array(CALL_BYTES)]);
    t.equal((await answerOf(port, enough)).length, 0);
  }
  t.equal(scene.witness.history.length, 1);
  await scene.assertFriendsUndisturbed(t);
});

t.test('the call of a member opens nothing when it is played again', async (t) => {
  const site = await MeshSite.create(2);
  t.teardown(() => site.close());
  const [caller, called] = [memberAt(site, 0), memberAt(site, 1)];
  const said: Buffer[] = [];
  const sockets: Socket[] = [];
  const tapped = createServer((near) => {
    const far = connect(called.port, '127.0.0.1');
    near.on('data', (bytes: Buffer) => said.push(bytes));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    sockets.push(near, far);
  }).listen(0, '127.0.0.1');
  await eventually('the line is tapped', () => tapped.listening);
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    tapped.close();
  });
  const { port } = tapped.address() as AddressInfo;
  const witness = new MeshWitness();
  await site.network(called).start(witness);
  const honest = site.network(caller, {}, { members: () => [{ key: called.key, addresses: [`127.0.0.1:${port}`] }] });
  await honest.start(new MeshWitness());
  await eventually('it is let in', () => witness.here.size === 1);
  await honest.stop();
  await eventually('it is gone', () => witness.here.size === 0);
  const answer = await answerOf(called.port, Buffer.concat(said));
  t.ok(answer.length > 0, 'its secret is the right one');
  t.same(witness.history, [`+${caller.key}`, `-${caller.key}`]);
});

t.test('whoever answers at the address of a member with another key is hung up on', async (t) => {
  const scene = await Scene.set(t);
  const { port } = scene.attacker;
  const impostor = await scene.node({ ...(await scene.site.stranger(78)), port });
  let connectionsCount = 0;
  impostor.addEventListener('connection:open', () => (connectionsCount += 1));
  await sleep(1_500);
  t.equal(scene.witness.history.length, 1);
  t.equal(connectionsCount, 0, 'no connection came about');
  await impostor.stop();
  const witness = new MeshWitness();
  await scene.site.network(scene.attacker).start(witness);
  await eventually('the real one is let in', () => scene.witness.here.has(scene.attacker.key));
});

const OFFENCES: Readonly<Record<string, (stream: RawStream) => Promise<void>>> = {
  garbage: (stream: RawStream) => new FrameStream(stream).write(new Uint8Array(40).fill(0xff)),
  'a frame that is too long': async (stream: RawStream) => void stream.send(new Uint8Array([0x7f, 0xff, 0xff, 0xff])),
  'a second hello': (stream: RawStream) =>
    new FrameStream(stream).write(
      Frame.encode({
        hello: {
          version: SESSION_VERSION,
          site: 'x',
          nonce: new Uint8Array(16),
          roster: { roster: new Uint8Array(9), signature: new Uint8Array(64) },
        },
      }),
    ),
  'links to more than a site has': (stream: RawStream) => {
    const heard = Array.from({ length: MEMBERS_MAX }, () => ({ key: 'aa'.repeat(32), addresses: [] }));
    const frame = Frame.encode({ links: { secretId: new Uint8Array(16), listensAt: [], heard } });
    // One more of what it ends with, in a message that is longer by as much.
    const link = frame.subarray(-34 - 2);
    const longer = Buffer.concat([frame, link]);
    const bytes = new DataView(longer.buffer, longer.byteOffset);
    const at = 1;
    const size = longer.length - 3;
    bytes.setUint8(at, (size & 0x7f) | 0x80);
    bytes.setUint8(at + 1, size >> 7);
    return new FrameStream(stream).write(longer);
  },
};

for (const [what, say] of Object.entries(OFFENCES)) {
  t.test(`a member that says ${what} is refused, and does not come back for a while`, async (t) => {
    const scene = await Scene.set(t);
    const { node, stream } = await scene.admitted();
    await say(stream);
    await eventually('it is refused', () => !scene.witness.here.has(scene.attacker.key));
    t.ok(
      scene.site.logs.some((line) => line.startsWith('a neighbour is refused') && line.includes(scene.attacker.key)),
    );
    const again = await scene.call(node).catch(() => undefined);
    if (again !== undefined) await eventually('its call is not taken', () => again.status !== 'open');
    t.notOk(scene.witness.here.has(scene.attacker.key));
    await scene.assertFriendsUndisturbed(t);
  });
}

t.test('a frame that is cut off ends the session and nothing else', async (t) => {
  const scene = await Scene.set(t);
  const { stream } = await scene.admitted();
  stream.send(new Uint8Array([0, 0, 1, 0, 5, 5]));
  await stream.close();
  await eventually('it is gone', () => !scene.witness.here.has(scene.attacker.key));
  await scene.assertFriendsUndisturbed(t);
});

t.test('whoever speaks or asks before it proved its key gets nothing', async (t) => {
  const scene = await Scene.set(t);
  let servedCount = 0;
  scene.witness.pieces = () => [new Uint8Array([(servedCount += 1)])];
  const node = await scene.node(scene.attacker);
  const connection = await scene.call(node);
  const range = new FrameStream(await connection.newStream(RANGE));
  await range.write(new Uint8Array([1])).catch(() => undefined);
  await t.rejects(range.read());
  const session = new FrameStream(await connection.newStream(SESSION));
  await session.write(Frame.encode({ message: new Uint8Array([66]) }));
  await eventually('it is hung up on', () => connection.status !== 'open');
  t.equal(servedCount, 0);
  t.equal(scene.witness.heardFrom(scene.attacker.key).length, 0);
});

t.test('whoever connects again and again and says nothing is hung up on', async (t) => {
  const scene = await Scene.set(t, 5);
  const node = await scene.node(scene.attacker);
  const calls = await Promise.allSettled(Array.from({ length: 12 }, () => scene.call(node)));
  const connections = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []));
  await eventually('nobody waits for ever', () => connections.every(({ status }) => status !== 'open'));
  await scene.assertFriendsUndisturbed(t);
});

t.test('a member that floods is slowed down: it takes nothing from the others, and is heard in the end', async (t) => {
  const scene = await Scene.set(t);
  const { frames } = await scene.admitted();
  const message = Frame.encode({ message: new Uint8Array(100) });
  const startedAtMs = performance.now();
  let isFlooding = true;
  let writtenCount = 0;
  const flood = (async () => {
    for (; isFlooding && writtenCount < 200_000; writtenCount += 1) await frames.write(message);
  })();
  const answers = (async () => {
    for (let frame = await frames.read(); frame !== undefined; frame = await frames.read());
  })().catch(() => undefined);
  await scene.assertFriendsUndisturbed(t);
  await sleep(2_000);
  const heardCount = scene.witness.heardFrom(scene.attacker.key).length;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  t.ok(heardCount > 0);
  t.ok(heardCount <= 400 + 200 * seconds + 10, `${heardCount} messages in ${seconds.toFixed(1)} s`);
  t.ok(writtenCount < 60_000, `${writtenCount} messages were taken off its hands`);
  await scene.assertFriendsUndisturbed(t);
  t.ok(scene.witness.here.has(scene.attacker.key));
  isFlooding = false;
  await scene.site.close();
  await Promise.allSettled([flood, answers]);
});

t.test('a member that asks for everything at once is served four at a time', async (t) => {
  const scene = await Scene.set(t);
  let [atOnce, atOnceMax] = [0, 0];
  scene.witness.pieces = function* () {
    atOnce += 1;
    atOnceMax = Math.max(atOnce, atOnceMax);
    try {
      for (;;) yield new Uint8Array(500_000);
    } finally {
      atOnce -= 1;
    }
  };
  const { connection } = await scene.admitted();
  const asked = await Promise.allSettled(
    Array.from({ length: 12 }, async () => {
      const range = new FrameStream(await connection.newStream(RANGE));
      await range.write(new Uint8Array([1]));
      return range.read();
    }),
  );
  t.ok(asked.some(({ status }) => status === 'fulfilled'));
  t.ok(asked.some(({ status }) => status === 'rejected'));
  t.ok(atOnceMax > 0 && atOnceMax <= 4, `${atOnceMax} at once`);
  await scene.assertFriendsUndisturbed(t);
  connection.abort(new Error('gone'));
  await eventually('what it asked for is forgotten', () => atOnce === 0);
});

t.test('a member gets no new credit by coming again', async (t) => {
  const scene = await Scene.set(t);
  const message = Frame.encode({ message: new Uint8Array(100) });
  const startedAtMs = performance.now();
  const heardCount = () => scene.witness.heardFrom(scene.attacker.key).length;
  let node: Node | undefined;
  for (let turn = 0; turn < 3; turn += 1) {
    const before = heardCount();
    const { frames, connection, ...attacker } = await scene.admitted(node);
    node = attacker.node;
    void frames.read().catch(() => undefined);
    for (let count = 0; count < 500; count += 1) await frames.write(message);
    await eventually('it is heard', () => heardCount() > before);
    await sleep(300);
    connection.abort(new Error('to come again'));
    await eventually('it is gone', () => !scene.witness.here.has(scene.attacker.key));
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  t.ok(heardCount() <= 400 + 200 * seconds + 10, `${heardCount()} messages in ${seconds.toFixed(1)} s`);
  await scene.assertFriendsUndisturbed(t);
});

t.test('whoever knows the secret and calls and calls is heard five times a second, whoever it is', async (t) => {
  const scene = await Scene.set(t);
  // As a gateway has it that nobody configured.
  const { port } = scene.attacker;
  const called = await scene.node(scene.attacker);
  const caller = await scene.node({ ...(await scene.site.stranger(79)) });
  let takenCount = 0;
  called.addEventListener('connection:open', () => (takenCount += 1));
  const startedAtMs = performance.now();
  const calls = Array.from({ length: 30 }, () => caller.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), { force: true }));
  await Promise.allSettled(calls);
  const seconds = Math.ceil((performance.now() - startedAtMs) / 1_000);
  t.ok(takenCount > 0);
  t.ok(takenCount <= 5 * (seconds + 1), `${takenCount} calls in ${seconds} s`);
});

t.test('a greeting that is cut into single bytes is a greeting', async (t) => {
  const scene = await Scene.set(t);
  const node = await scene.node(scene.attacker);
  const connection = await scene.call(node);
  const stream = await connection.newStream(SESSION);
  await scene.greet(new FrameStream(inSingleBytes(stream)));
  await eventually('it is let in', () => scene.witness.here.has(scene.attacker.key));
  await scene.assertFriendsUndisturbed(t);
});

t.test('whoever has not proved its key says no more than a greeting takes, and nobody asks at length', async (t) => {
  const scene = await Scene.set(t);
  const { connection } = await scene.admitted();
  const range = new FrameStream(await connection.newStream(RANGE));
  await range.write(new Uint8Array(16_385)).catch(() => undefined);
  await t.rejects(range.read());
  const stranger = await scene.node(await scene.site.stranger(80));
  const unproved = await scene.call(stranger);
  (await unproved.newStream(SESSION)).send(new Uint8Array([0, 1, 0, 1]));
  await eventually('it is hung up on', () => unproved.status !== 'open');
  t.ok(scene.site.logs.some((line) => line.includes('a frame of 65537 bytes')));
  await scene.assertFriendsUndisturbed(t);
});
