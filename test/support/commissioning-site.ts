import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { SiteProcess } from '@sparc/edge/site';
import {
  busFindings,
  Commissioning,
  LOCAL_API_FILE,
  type BusView,
  type CommissioningView,
  type DeviceHealthView,
  type KeyState,
  type LocalApi,
  type Operation,
  type TaskWork,
} from '@sparc/edge/commissioning';
import { nodeRandom } from '@sparc/edge/platform';
import { freePort } from '@sparc/simulator/live';
import { eventually } from './peers.js';
import { NO_MESH, siteSnapshot } from './site-fixture.js';
import { systemClock } from './system-clock.js';

/** What the field knows of its readers, and how it does what is asked; a test says what this wall is like. */
export interface Wall {
  inventory: Pick<CommissioningView, 'devices' | 'bundles' | 'escrow'>;
  buses: readonly BusView[];
  work: TaskWork;
}

const QUICK = { p50: 8, p99: 14, max: 20 };

export function deviceHealth(deviceId: string, key: KeyState, more: Partial<DeviceHealthView> = {}): DeviceHealthView {
  return {
    deviceId,
    address: 0,
    link: 'online',
    secure: true,
    key,
    roundTripMs: QUICK,
    sentCount: 10_000,
    retryCount: 0,
    timeoutCount: 0,
    badCheckCount: 0,
    naks: [],
    sessionStartCount: 1,
    sessionRestartCount: 0,
    ...more,
  };
}

export function bus(id: string, devices: readonly DeviceHealthView[], more: Partial<BusView> = {}): BusView {
  return {
    id,
    up: true,
    baudRate: 9_600,
    canSetBaudRate: true,
    predictedPollPeriodMs: 120,
    pollPeriodMs: { p50: 120, p99: 140, max: 200 },
    lineLoad: 0.3,
    strayBytesCount: 0,
    echo: false,
    devices,
    ...more,
  };
}

/** The real site process, and the real window and tasks of commissioning, over such a wall. */
export async function startCommissioning(t: Test, wall: Wall) {
  const dataDir = t.testdir({});
  const asked: Operation[] = [];
  let url = '';
  const commissioning = new Commissioning({
    clock: systemClock,
    random: nodeRandom,
    dataDir,
    record: () => undefined,
    onFileFailure: (error) => t.fail(String(error)),
    plan: (operation) => {
      asked.push(operation);
      const place = {
        ...('bus' in operation ? { bus: operation.bus } : {}),
        ...('device' in operation ? { device: operation.device } : {}),
      };
      return { place, work: wall.work };
    },
    inventory: () => wall.inventory,
    onChange: () => site.changed('commissioning'),
  });
  const site: SiteProcess = new SiteProcess(
    systemClock,
    {
      snapshot: siteSnapshot,
      commissioning: () => commissioning.view(),
      buses: () => ({ buses: wall.buses.map((view) => ({ ...view, findings: busFindings(view) })) }),
      request: (action, authorization) => commissioning.handle(action, authorization),
      ...NO_MESH,
      onListening: (address) => {
        url = address;
        commissioning.listening(address);
      },
      onDown: (error) => t.fail(String(error)),
    },
    { host: '127.0.0.1', port: await freePort(), dataDir, logLevel: 'silent' },
  );
  const stop = async () => {
    await commissioning.stop();
    await site.stop();
  };
  t.teardown(stop);
  commissioning.start();
  site.start();
  const localApi = () => JSON.parse(readFileSync(join(dataDir, LOCAL_API_FILE), 'utf8')) as LocalApi;
  await eventually('the API listens and is told of', () => url !== '' && localApi().url !== undefined);

  /** As `sparc commission open` does; returns the code. */
  const openWindow = (): string => {
    const window = { operator: 'Ada Lovelace', minutes: 30 };
    const answer = commissioning.handle({ kind: 'open', window }, `Bearer ${localApi().token}`);
    if (answer.kind !== 'opened') throw new Error('not opened');
    return answer.code;
  };
  return { url, dataDir, asked, commissioning, openWindow, stop };
}
