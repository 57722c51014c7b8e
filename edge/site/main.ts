import { NO_DELIVERY } from '@sparc/protocol/delivery';
import type { LinkGrant } from '@sparc/protocol/enrolment';
import type { Expulsion } from '@sparc/protocol/roster';
import { pino } from 'pino';
import {
  MESH_OFF,
  type FieldToSite,
  type MeshNotice,
  type MeshView,
  type SiteOptions,
  type SiteToField,
} from '../api/index.js';
import type { LinkFiles } from '../cloud-enrolment/index.js';
import type { OwnTime } from '../clock/index.js';
import { readPlaces } from '../policy/index.js';
import { expulsionsFromTexts } from '../membership/index.js';
import { createNodeClock, createTimeEvidence, gatewayChannel, nodeRandom } from '../platform/index.js';
import type { CloudAccess, MeshTime, SiteMesh } from '../site-mesh/index.js';
import {
  buildApi,
  direct,
  EventLog,
  EventStreams,
  FieldRequests,
  JournalHistory,
  MeshFeed,
  SiteState,
} from '../api/server/index.js';

const LISTEN_RETRY_MS = 500;

const options = JSON.parse(process.argv[2] ?? '{}') as SiteOptions;
// The gateway itself tells the address, and requests are not logged: only trouble is left to say.
const { [options.logLevel]: level = Infinity, warn } = pino.levels.values;
const logLevel = level < (warn ?? 0) ? 'warn' : options.logLevel;
const clock = createNodeClock();

const simulator = options.simulatorUrl === undefined ? {} : { simulatorUrl: options.simulatorUrl };
const state = new SiteState(clock, options.simulatorUrl);
const log = new EventLog(new JournalHistory(options.dataDir));
const streams = new EventStreams(clock);
const requests = new FieldRequests(clock, tell);
let mesh: SiteMesh | undefined;
/** The mesh starts after the first word of them. */
let expulsions: readonly Expulsion[] = [];
const meshView = (): MeshView => mesh?.view() ?? (options.mesh ? { ...MESH_OFF, state: 'starting' } : MESH_OFF);
const delivery = {
  delivery: () => mesh?.delivery() ?? NO_DELIVERY,
  directive: (id: string) => mesh?.directive(id),
};
const places = () => readPlaces(options.dataDir);
const feed = new MeshFeed(clock, streams, { mesh: meshView, delivery: delivery.delivery });
const api = buildApi({ state, log, streams, requests, mesh: meshView, delivery, places, logLevel, ...simulator });

const field = gatewayChannel({
  onLine: (line) => hear(JSON.parse(line) as FieldToSite),
  // Without its gateway it has nothing to show.
  onClose: () => process.exit(0),
});
// Ctrl-C reaches the whole process group; the gateway stops its parts in order.
process.on('SIGINT', () => undefined);
process.once('SIGTERM', () => {
  streams.close();
  void Promise.allSettled([api.close(), mesh?.stop()]).finally(() => process.exit(0));
});

function hear(message: FieldToSite): void {
  state.apply(message);
  if (message.kind === 'event') {
    log.push(message.event);
    streams.event(message.event);
    mesh?.recorded();
  } else if (message.kind === 'health') {
    tell({ kind: 'alive' });
  } else if (message.kind === 'snapshot') {
    streams.state('site', state.view());
  } else if (message.kind === 'commissioning') {
    streams.state('commissioning', state.commissioning());
  } else if (message.kind === 'answer') {
    requests.answered(message.id, message.answer);
  } else if (message.kind === 'expelled') {
    expulsions = expulsionsFromTexts(message.expulsions);
    mesh?.expelled(expulsions);
  }
}

function tell(message: SiteToField): void {
  field.send(message);
}

/** A gateway without a mesh does not load what it takes. */
async function startMesh(): Promise<void> {
  const { dataDir, mesh: config } = options;
  if (config === undefined) return;
  const { GrantedCloud, SiteMesh } = await import('../site-mesh/index.js');
  const meshLog = pino({ level: logLevel, base: { part: 'mesh' } });
  const tellField = (notice: MeshNotice) => tell({ kind: 'mesh', notice });
  const ofField = {
    policyInForce: () => state.policyLane(),
    unread: () => state.unread(),
    isFieldSilent: () => state.isFieldSilent(),
  };
  const time = meshTime();
  const onDirective = () => feed.directive();
  const stored = () => tell({ kind: 'stored' });
  const reaches = (keys: readonly string[]) => tell({ kind: 'reach', keys: [...keys] });
  const policyHere = () => tell({ kind: 'policyHere' });
  const copied = (words: readonly Uint8Array[]) =>
    tell({ kind: 'copied', words: words.map((word) => Buffer.from(word).toString('base64')) });
  const forField = { tell: tellField, stored, policyHere, reaches, copied };
  const cloud = new GrantedCloud({ log: meshLog, accessTo: cloudAccess }, dataDir);
  const deps = {
    clock,
    random: nodeRandom,
    log: meshLog,
    ...forField,
    ...ofField,
    time,
    onDirective,
    cloud: () => cloud.look(),
  };
  mesh = new SiteMesh(deps, dataDir, config);
  mesh.expelled(expulsions);
  mesh.start();
  feed.start();
}

/** Nor does a gateway without a cloud. */
async function cloudAccess(
  { tenant, cloudKey }: LinkGrant,
  files: LinkFiles,
  onFailure: (error: unknown, what: string) => void,
): Promise<CloudAccess> {
  const { RenewingLink } = await import('../uplink/mqtt/index.js');
  return {
    tenant,
    cloudKey,
    link: (carrier, signer) => new RenewingLink({ clock, random: nodeRandom, signer, files, onFailure }, carrier),
    direct: (directive) => direct({ requests, mesh: meshView }, directive),
    tryOut: async (trial) => (await requests.ask({ kind: 'trial', trial })).decision,
  };
}

function meshTime(): MeshTime {
  const evidence = createTimeEvidence();
  const uptimeMs = () => evidence.uptimeMs();
  const now = ({ offsetMs, ...worth }: OwnTime) => ({ unixMs: offsetMs + uptimeMs(), ...worth });
  return {
    own: () => {
      const time = state.ownTime();
      return time && now(time);
    },
    wall: () => now(state.timeInUse() ?? { offsetMs: Date.now() - uptimeMs(), quality: 'unsynced' }),
    uptimeMs,
    tell: (heard) => tell({ kind: 'siteTime', heard }),
  };
}

/** A taken address is told once, and tried until it is free. */
async function listen(isFirst: boolean): Promise<void> {
  try {
    tell({ kind: 'listening', url: await api.listen({ host: options.host, port: options.port }) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw error;
    if (isFirst) tell({ kind: 'failed', message });
    setTimeout(() => void listen(false), LISTEN_RETRY_MS);
  }
}

await listen(true);
await startMesh();
