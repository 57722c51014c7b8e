import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CommissioningView } from '@sparc/edge/commissioning';
import type { SiteFile } from '@sparc/protocol/policy';
import { firmwareImage } from '@sparc/simulator/devices';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';

const READERS = ['front-reader', 'front-out-reader'];
const READER_MODEL = 1;
const NEW_FIRMWARE = { major: 1, minor: 1, build: 0 };
const IMAGE = firmwareImage(READER_MODEL, NEW_FIRMWARE, 36_000);
const CARDS = 20;
/** Visits in a row at which the door stays shut: more is no accident. */
const MISSED_MAX = 3;
const DESCRIPTION = `name: Wall readers
version: "1.1.0"
content: firmware
target: { vendor: "0a0b0c", models: [${READER_MODEL}] }
firmwareAfter: "1.1.0"
`;

/** A door with a reader on either side, on two buses. */
function pairSite(): SiteFile {
  const site = liveSiteFile([
    { id: 'front', bus: 'bus-1' },
    { id: 'back', bus: 'bus-2' },
  ]);
  const point = { ...(site.accessPoints[0] as SiteFile['accessPoints'][number]) };
  return {
    ...site,
    devices: [
      ...site.devices,
      { id: 'front-out-reader', bus: 'bus-2', address: 9, secureChannel: 'required', side: 'secured' },
    ],
    readers: [...site.readers, { id: 'front-out-reader', device: 'front-out-reader', number: 0 }],
    accessPoints: [...site.accessPoints, { ...point, id: 'front-out', name: 'front, out', reader: 'front-out-reader' }],
    accessProfiles: site.accessProfiles.map((profile) => ({
      ...profile,
      policies: [...profile.policies, { accessPoint: 'front-out', schedule: 'always' }],
    })),
  };
}

/** A gateway that trusts a signer, and the signer's bundle in it. */
async function scene(t: Test) {
  const gateway = await LiveGateway.create({ site: pairSite(), baudRate: 115_200 });
  t.teardown(() => gateway.remove());
  const at = (name: string) => join(gateway.folder, name);
  const sparc = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await gateway.sparc(...args);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  writeFileSync(at('readers.yaml'), DESCRIPTION);
  writeFileSync(at('readers.bin'), IMAGE);
  const plainSparc = async (...args: string[]) => JSON.parse(await runPlain(args)) as Record<string, string>;
  const { publicKey } = await plainSparc('bundle', 'key', at('signer.pem'), '--json');
  const config = JSON.parse(readFileSync(gateway.configPath, 'utf8')) as object;
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, readerBundles: { signers: [publicKey] } }));
  const made = ['--payload', at('readers.bin'), '--key', at('signer.pem'), '--out', at('readers.bundle'), '--json'];
  await plainSparc('bundle', 'create', at('readers.yaml'), ...made);
  const { id } = JSON.parse(await sparc('bundle', 'import', at('readers.bundle'), '--json')) as { id: string };
  const start = async () => {
    await gateway.startOnline();
    await eventually('the API is served', () => gateway.isServing());
  };
  await start();
  const transfer = (...devices: string[]) =>
    gateway.sparc('commission', 'transfer', id, ...devices, '--operator', 'Ada', '--json');
  const view = () => gateway.api<CommissioningView>('/api/commissioning');
  const firmwareOf = (deviceId: string) => gateway.live.devices.get(deviceId)?.memory.firmware;
  return { gateway, start, transfer, view, firmwareOf };
}

async function runPlain(args: readonly string[]): Promise<string> {
  const { sparc } = await import('../../support/sparc-command.js');
  const { exitCode, stdout, stderr } = await sparc(args);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

const isSoon = (condition: () => boolean): Promise<boolean> =>
  eventually('soon', condition, 4_000).then(
    () => true,
    () => false,
  );

t.test('both readers of a door get new firmware, one after the other, and the door opens all the while', async (t) => {
  const { gateway, transfer, view, firmwareOf } = await scene(t);
  t.strictSame((await view()).bundles.length, 1, 'the page offers it');
  const ended = transfer(...READERS);
  const states = new Set<string>();
  let isOver = false;
  void ended.then(() => (isOver = true));
  let opened = 0;
  let missed = 0;
  // A card of its own for each visit: the same one again would count as one presentation.
  for (let visit = 0; !isOver && missed < MISSED_MAX; visit += 1) {
    const step = (await view()).tasks[0]?.step ?? '';
    states.add(step.replace(/\d+ %/g, 'gets it'));
    const free = READERS.find((id) => !new RegExp(`${id}: (\\d+ %|starts anew)`).test(step)) ?? '';
    gateway.present(free, `card-${(visit % CARDS) + 1}`);
    const opens = await isSoon(() => gateway.lock('front').released);
    if (opens) opened += 1;
    // The reader may have had its turn just then; then the other one is free.
    missed = opens ? 0 : missed + 1;
    await eventually('the door locks', () => !gateway.lock('front').released);
  }
  t.ok(missed < MISSED_MAX, 'a card opens the door at one of the readers');
  const { exitCode, stderr } = await ended;
  t.equal(exitCode, 0, stderr);
  t.ok(opened >= 3, `${opened} passages meanwhile`);
  for (const state of states) t.notOk(/gets it.*gets it/.test(state), state);
  for (const id of READERS) t.strictSame(firmwareOf(id), NEW_FIRMWARE, id);
});

t.test('a transfer that the end of the gateway cut off goes on where it stopped', async (t) => {
  const { gateway, start, transfer, view, firmwareOf } = await scene(t);
  const resume = join(gateway.dataDir, 'reader-bundles', 'resume.json');
  const sentBytes = async () => Math.round(((await view()).tasks[0]?.progress ?? 0) * IMAGE.length);
  const keptBytes = () => {
    if (!existsSync(resume)) return 0;
    return (
      (JSON.parse(readFileSync(resume, 'utf8')) as Record<string, { offset: number }>)['front-reader']?.offset ?? 0
    );
  };
  void transfer('front-reader');
  await eventually('a part has arrived', () => keptBytes() > IMAGE.length / 5);
  gateway.live.devices.get('front-reader')?.setConnected(false);
  await eventually('the newest fragment is noted', async () => (await sentBytes()) === keptBytes());
  await gateway.end('SIGKILL');
  const keptPercent = Math.floor((100 * keptBytes()) / IMAGE.length);
  gateway.live.devices.get('front-reader')?.setConnected(true);
  await start();
  const ended = transfer('front-reader');
  let percent = 0;
  // Until the reader has said how much it has, nothing is sent.
  await eventually('it is sent again', async () => {
    percent = Number(/front-reader: (\d+) %/.exec((await view()).tasks[0]?.step ?? '')?.[1]);
    return percent > 0;
  });
  t.ok(percent >= keptPercent, `goes on at ${percent} %, of ${keptPercent} % that had arrived`);
  t.equal((await ended).exitCode, 0);
  t.strictSame(firmwareOf('front-reader'), NEW_FIRMWARE);
});

t.test('what drives a lock gets nothing unless somebody accepts the outage; a strange device never', async (t) => {
  const { gateway, transfer } = await scene(t);
  const refused = await transfer('io-bus-1');
  t.match(refused.stderr, /ERR_BUNDLE_DOOR_OUTAGE/);
  const strange = await transfer('io-bus-1', '--accept-door-outage');
  t.match(strange.stderr, /ERR_BUNDLE_INCOMPATIBLE/);
  t.ok(gateway.lock('front'));
});
