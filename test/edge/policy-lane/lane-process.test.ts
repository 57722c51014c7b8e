import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createNodeClock } from '@sparc/edge/platform';
import { LaneProcess, type LaneRejection } from '@sparc/edge/policy-lane';
import { POLICY_KIND, PolicyRevision } from '@sparc/protocol/policy-revision';
import { eventually } from '../../support/peers.js';
import { laneScene } from './lane-scene.js';

const TAKEN_MAX_MS = 30_000;

t.test('the process brings what comes into force, ends to give its memory back, and takes the next', async (t) => {
  const scene = laneScene(t);
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
  const first = lane.pid;
  const { revision } = scene.sign();
  scene.bringAll();
  const inForce = (number: number) => () => scene.inForce()?.issued?.number === number;
  await eventually('the first is in force', inForce(1), TAKEN_MAX_MS);
  await eventually('it started again', () => lane.pid !== first && lane.pid !== undefined, TAKEN_MAX_MS);
  scene.folder.log.append([{ kind: POLICY_KIND, body: PolicyRevision.encode({ ...revision, number: 2, layout: 99 }) }]);
  scene.bringLog();
  await eventually('the second is rejected', () => rejections.length > 0, TAKEN_MAX_MS);
  t.match(rejections, [{ number: 2, code: 'ERR_POLICY_REVISION_LAYOUT' }]);
  t.strictSame(failures, []);
  await lane.stop();
  await lane.stop();
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
