import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createNodeClock } from '@sparc/edge/platform';
import { LaneProcess, type LaneRejection } from '@sparc/edge/policy-lane';
import { POLICY_KIND, PolicyRevision } from '@sparc/protocol/policy-revision';
import { eventually } from '../../support/peers.js';
import { SITE_FILE } from '../../support/site-file.js';
import { laneScene } from './lane-scene.js';

type LaneScene = ReturnType<typeof laneScene>;

const TAKEN_MAX_MS = 30_000;

/** More than the process goes on with in its memory. */
const MANY_HOLDERS = 400_000;

function laneOf(t: Test, scene: LaneScene) {
  const rejections: LaneRejection[] = [];
  const failures: unknown[] = [];
  const lane = new LaneProcess(
    createNodeClock(),
    { dataDir: scene.dataDir, busIds: ['bus-a', 'bus-b'] },
    {
      onRejected: (rejection) => void rejections.push(rejection),
      onFailed: (error) => void failures.push(error),
    },
  );
  t.teardown(() => lane.stop());
  lane.start();
  const inForce = (number: number) =>
    eventually(`${number} is in force`, () => scene.inForce()?.issued?.number === number, TAKEN_MAX_MS);
  return { lane, rejections, failures, inForce };
}

t.test('the process brings what comes into force, and takes the next', async (t) => {
  const scene = laneScene(t);
  const { lane, rejections, failures, inForce } = laneOf(t, scene);
  const first = lane.pid;
  const { revision } = scene.sign();
  scene.bringAll();
  await inForce(1);
  scene.folder.log.append([{ kind: POLICY_KIND, body: PolicyRevision.encode({ ...revision, number: 2, layout: 99 }) }]);
  scene.bringLog();
  await eventually('the second is rejected', () => rejections.length > 0, TAKEN_MAX_MS);
  t.match(rejections, [{ number: 2, code: 'ERR_POLICY_REVISION_LAYOUT' }]);
  t.equal(lane.pid, first, 'it is the same process');
  t.strictSame(failures, []);
  await lane.stop();
  await lane.stop();
});

t.test('it ends to give back what a large policy took of memory, and takes the next', async (t) => {
  const scene = laneScene(t);
  const { lane, failures, inForce } = laneOf(t, scene);
  const first = lane.pid;
  scene.signLarge(MANY_HOLDERS);
  scene.bringAll();
  await inForce(1);
  await eventually('it started again', () => lane.pid !== first && lane.pid !== undefined, TAKEN_MAX_MS);
  scene.sign();
  scene.bringAll();
  await inForce(2);
  t.strictSame(failures, []);
});

t.test('what it is told to look at it builds at once', async (t) => {
  const scene = laneScene(t);
  const { lane, inForce } = laneOf(t, scene);
  scene.sign();
  scene.bringAll();
  await inForce(1);
  const tookMs: number[] = [];
  for (let trial = 1; trial <= 5; trial++) {
    scene.sign(SITE_FILE.replace('name: Front door', `name: Door ${trial}`));
    scene.bringAll();
    const startMs = performance.now();
    lane.look();
    await inForce(1 + trial);
    tookMs.push(performance.now() - startMs);
  }
  // By itself it looks every 1,000 ms.
  t.ok(Math.min(...tookMs) < 500, tookMs.join());
});

t.test('a process that fails is reported and started again', async (t) => {
  const scene = laneScene(t);
  // Without its key a gateway can sign nothing.
  writeFileSync(join(scene.dataDir, 'secrets', 'gateway.key'), 'no key');
  const code = await new Promise<string>((resolve) => {
    const lane = new LaneProcess(
      createNodeClock(),
      { dataDir: scene.dataDir, busIds: [] },
      { onRejected: () => undefined, onFailed: (error) => resolve(error.code) },
    );
    t.teardown(() => lane.stop());
    lane.start();
  });
  t.equal(code, 'ERR_GATEWAY_PART_FAILED');
});
