import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SparcError } from '@sparc/protocol/errors';
import type { PdId } from '@sparc/protocol/osdp';
import {
  ResumePoints,
  TransferJob,
  type Recipient,
  type RecipientState,
  type TransferEnd,
  type TransferRequest,
} from '@sparc/edge/reader-bundles';
import { VirtualClock } from '@sparc/simulator/world';
import { eventually } from '../../support/peers.js';
import { DESCRIPTION, PAYLOAD, reader } from './bundle-scene.js';

const BUNDLE_ID = '00112233aabbccdd';
const SENDING_MS = 10_000;
const RESTART_MS = 4_000;

/** Readers that take a file in ten seconds and restart with what is in it. */
class Readers {
  readonly ids = new Map<string, PdId>();
  /** What was under way at the same time, each time a transfer began. */
  readonly together: string[][] = [];
  readonly requests: { deviceId: string; offset: number }[] = [];
  readonly #absent = new Set<string>();
  readonly #sending = new Set<string>();
  failAt: number | undefined;
  takesFirmware = true;

  constructor(
    private readonly clock: VirtualClock,
    deviceIds: readonly string[],
  ) {
    for (const deviceId of deviceIds) this.ids.set(deviceId, reader(0));
  }

  identity(deviceId: string): Promise<PdId | undefined> {
    return Promise.resolve(this.#absent.has(deviceId) ? undefined : this.ids.get(deviceId));
  }

  async transferFile(
    deviceId: string,
    { offset, data, signal }: TransferRequest,
    onProgress: (sentBytes: number) => void,
  ): Promise<TransferEnd> {
    this.requests.push({ deviceId, offset });
    this.#sending.add(deviceId);
    this.together.push([...this.#sending]);
    const end = await this.#send(offset, data.length, signal, onProgress);
    this.#sending.delete(deviceId);
    if (end.kind === 'completed' && this.takesFirmware) this.#restart(deviceId);
    return end;
  }

  async #send(offset: number, size: number, signal: AbortSignal, onProgress: (sent: number) => void) {
    for (let sent = offset; sent < size; sent += size / 10) {
      await new Promise<void>((resolve) => this.clock.setTimer(SENDING_MS / 10, resolve));
      if (signal.aborted) return { kind: 'aborted', offset: sent } as const;
      if (this.failAt !== undefined && sent >= this.failAt) {
        const error = new SparcError('ERR_OSDP_SILENT', 'it fell silent');
        return { kind: 'failed', error, offset: sent } as const;
      }
      onProgress(sent);
    }
    return { kind: 'completed', rebooting: true } as const;
  }

  #restart(deviceId: string): void {
    this.#absent.add(deviceId);
    this.clock.setTimer(RESTART_MS, () => {
      this.#absent.delete(deviceId);
      this.ids.set(deviceId, reader(2));
    });
  }
}

const recipient = (deviceId: string, busId: string, ...doorIds: string[]): Recipient => ({
  deviceId,
  busId,
  doorIds,
  outageDoorIds: [],
});

const PAIR = [recipient('main-in', 'bus-1', 'main'), recipient('main-out', 'bus-2', 'main')];

function scene(t: Test, recipients: readonly Recipient[], dataDir = t.testdir()) {
  const clock = new VirtualClock();
  const line = new Readers(
    clock,
    recipients.map(({ deviceId }) => deviceId),
  );
  const controller = new AbortController();
  const bundle = {
    id: BUNDLE_ID,
    manifest: { ...DESCRIPTION, payload: { sizeBytes: PAYLOAD.length, sha256: '0'.repeat(64) } },
    payload: PAYLOAD,
  };
  const resume = new ResumePoints(dataDir);
  const start = () => {
    const deps = { clock, line, resume };
    return new TransferJob(deps, bundle, recipients, () => undefined).run(controller.signal);
  };
  const run = async () => {
    let ends: ReadonlyMap<string, RecipientState> | undefined;
    void start().then((all) => (ends = all));
    for (let second = 0; ends === undefined && second < 600; second += 1) await clock.advance(1_000);
    if (ends === undefined) throw new Error('the job does not end');
    await resume.written();
    return new Map([...ends].map(([id, state]) => [id, state.kind === 'failed' ? state.error.code : state.kind]));
  };
  return { clock, line, controller, dataDir, start, run };
}

const pointWritten = (dataDir: string, offset: number): Promise<void> =>
  eventually(`a transfer would go on at ${offset}`, () => {
    const points = new ResumePoints(dataDir);
    return points.find('main-in', BUNDLE_ID, reader(0).serial) === offset;
  });

t.test('every device gets the bundle, and a door with two readers keeps one of them', async (t) => {
  const { line, run } = scene(t, [...PAIR, recipient('garden', 'bus-3', 'garden')]);
  t.strictSame([...(await run()).values()], ['done', 'done', 'done']);
  t.ok(
    line.together.some((ids) => ids.includes('garden') && ids.length === 2),
    'doors do not wait for each other',
  );
  t.notOk(line.together.some((ids) => ids.includes('main-in') && ids.includes('main-out')));
  t.equal(line.requests.findIndex(({ deviceId }) => deviceId === 'main-out') > 0, true);
});

t.test('devices of one bus come one after the other', async (t) => {
  const { line, run } = scene(t, [recipient('a', 'bus-1', 'x'), recipient('b', 'bus-1', 'y')]);
  await run();
  t.ok(line.together.every((ids) => ids.length === 1));
});

t.test('a device that already runs it is left alone', async (t) => {
  const { line, run } = scene(t, PAIR);
  line.ids.set('main-in', reader(2));
  t.strictSame([...(await run()).values()], ['done', 'done']);
  t.strictSame(line.requests, [{ deviceId: 'main-out', offset: 0 }]);
});

t.test('a device of another kind gets nothing, and the other reader of its door neither', async (t) => {
  const { line, run } = scene(t, PAIR);
  line.ids.set('main-in', { ...reader(0), model: 9 });
  t.strictSame([...(await run()).values()], ['ERR_BUNDLE_INCOMPATIBLE', 'ERR_BUNDLE_HELD_BACK']);
  t.strictSame(line.requests, []);
});

t.test('firmware outside the range that the bundle was made for is refused; 1.10 comes after 1.9', async (t) => {
  const { line, run } = scene(t, [recipient('old', 'bus-1'), recipient('new', 'bus-2'), recipient('last', 'bus-3')]);
  line.ids.set('old', { ...reader(0), firmware: { major: 0, minor: 255, build: 255 } });
  line.ids.set('new', { ...reader(0), firmware: { major: 1, minor: 10, build: 0 } });
  line.ids.set('last', { ...reader(0), firmware: { major: 1, minor: 1, build: 255 } });
  t.strictSame([...(await run()).values()], ['ERR_BUNDLE_INCOMPATIBLE', 'ERR_BUNDLE_INCOMPATIBLE', 'done']);
});

t.test('a transfer that broke goes on where it stopped, also in another run', async (t) => {
  const { line, run, dataDir } = scene(t, [recipient('main-in', 'bus-1', 'main')]);
  line.failAt = 20_000;
  t.strictSame([...(await run()).values()], ['ERR_OSDP_SILENT']);
  const later = scene(t, [recipient('main-in', 'bus-1', 'main')], dataDir);
  t.strictSame([...(await later.run()).values()], ['done']);
  t.strictSame(later.line.requests, [{ deviceId: 'main-in', offset: 20_000 }]);
});

t.test('of a gateway that ends in the middle the next one knows each fragment that was taken', async (t) => {
  const { clock, dataDir, start } = scene(t, [recipient('main-in', 'bus-1', 'main')]);
  void start();
  await clock.advance(SENDING_MS / 2);
  await pointWritten(dataDir, 0.4 * PAYLOAD.length);
});

t.test('what cannot be written does not hold up a transfer', async (t) => {
  const { dataDir, run } = scene(t, [recipient('main-in', 'bus-1', 'main')]);
  writeFileSync(join(dataDir, 'reader-bundles'), 'in the way of the folder');
  t.strictSame([...(await run()).values()], ['done']);
});

t.test('another piece of hardware at the same place begins at the start', async (t) => {
  const { line, run, dataDir } = scene(t, [recipient('main-in', 'bus-1', 'main')]);
  line.failAt = 20_000;
  await run();
  const later = scene(t, [recipient('main-in', 'bus-1', 'main')], dataDir);
  later.line.ids.set('main-in', reader(0, 6));
  await later.run();
  t.strictSame(later.line.requests, [{ deviceId: 'main-in', offset: 0 }]);
});

t.test('an abort ends what is under way and begins nothing more', async (t) => {
  const { clock, line, controller, run } = scene(t, PAIR);
  clock.setTimer(3_500, () => controller.abort());
  t.strictSame([...(await run()).values()], ['aborted', 'aborted']);
  t.equal(line.requests.length, 1);
});

t.test('a device that does not run what it took is reported, and its neighbour is spared', async (t) => {
  const { line, run } = scene(t, PAIR);
  line.takesFirmware = false;
  t.strictSame([...(await run()).values()], ['ERR_BUNDLE_NOT_TAKEN', 'ERR_BUNDLE_HELD_BACK']);
});
