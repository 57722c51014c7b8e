import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { SiteFile } from '@sparc/protocol/policy';
import { buildControlApi } from './control-api.js';
import { CLOUD_PORT_COUNT, DemoCloud } from './demo-cloud.js';
import { DemoFolder } from './demo-folder.js';
import { DEMO_GATEWAYS, type DemoGateway } from './demo-gateways.js';
import { DemoMesh } from './demo-mesh.js';
import { DemoOperator } from './demo-operator.js';
import type { LineKind } from './line-end.js';
import type { LiveMesh } from './live-mesh.js';
import { LiveSite } from './live-site.js';
import { assertPortsFree } from './ports.js';
import { commandsUntil, SPARC, SPARC_CLOUD, type RunCommand } from './sparc-command.js';

/** Ports in a row that a demo has: of the pages of its gateways, and of its cloud. */
export const DEMO_PORT_COUNT = DEMO_GATEWAYS.length + CLOUD_PORT_COUNT;

export interface DemoOptions {
  readonly dataPath: string;
  /** Of the page of the first gateway; the rest of `DEMO_PORT_COUNT` follow. */
  readonly port: number;
  readonly kind?: LineKind;
  /** Of a folder that has no site file yet; default: `demoSite`. */
  readonly siteOf?: (timeZone: string) => SiteFile;
  /** A page can be opened. */
  readonly onServed?: (gateway: DemoGateway, pageUrl: string) => void;
  /** Something ended that should not have; the demo is to be stopped. */
  readonly onFailed: (error: SparcError) => void;
}

/** What stands once the demo runs. */
export interface RunningDemo {
  readonly site: SiteFile;
  readonly live: LiveSite;
  readonly mesh: LiveMesh;
}

/** The demo site and the gateways that run it: starts in order, stops in reverse. */
export class Demo {
  readonly folder: DemoFolder;
  simulatorUrl = '';
  cloudUrl = '';
  kind: LineKind | undefined;
  busCount = 0;
  readonly #abort = new AbortController();
  /** A command for its gateways; ended when the demo is stopped. */
  readonly runSparc: RunCommand = commandsUntil(this.#abort.signal, SPARC);
  readonly #stops: (() => Promise<unknown>)[] = [];
  #starting: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DemoOptions) {
    this.folder = new DemoFolder(options.dataPath, options.siteOf);
  }

  /** One of each gateway, in the order of `DEMO_GATEWAYS`. */
  get pageUrls(): readonly string[] {
    return DEMO_GATEWAYS.map((_, index) => `http://127.0.0.1:${this.options.port + index}/`);
  }

  /** Throws ERR_SIMULATOR_…; call `stop` in any case. */
  start(): Promise<RunningDemo> {
    const starting = this.#start();
    this.#starting = starting;
    return starting;
  }

  async #start(): Promise<RunningDemo> {
    const { port, onFailed, onServed = () => undefined } = this.options;
    await assertPortsFree(port, DEMO_PORT_COUNT);
    const { live, site } = await this.#liveSite();
    const events = { onChange: () => live.changed(), onServed, onEnded: onFailed };
    const cloud = await this.#openCloud(onFailed);
    this.cloudUrl = cloud.pageUrl;
    const mesh = new DemoMesh(this.folder, this.pageUrls, cloud, events, this.runSparc);
    this.#stops.push(() => Promise.all([mesh.stop(), cloud.stop()]));
    await mesh.open();

    const { hands } = mesh;
    const api = buildControlApi(live, this.#origins(), hands);
    this.#stops.push(() => api.close());
    this.simulatorUrl = await listen(api);
    const cloudStarted = cloud.start(site);
    await Promise.all([
      mesh.start(live.addresses, this.simulatorUrl, cloudStarted),
      this.#furnish(cloud, site, cloudStarted),
    ]);
    return { site, live, mesh: hands };
  }

  async #openCloud(onFailed: (error: SparcError) => void): Promise<DemoCloud> {
    const runCloud = commandsUntil(this.#abort.signal, SPARC_CLOUD);
    const port = this.options.port + DEMO_GATEWAYS.length;
    const cloud = await DemoCloud.open(this.folder.cloud, port, this.runSparc, runCloud);
    cloud.process.onEnded = onFailed;
    return cloud;
  }

  /** What a site has that is new: a policy, and an operator. */
  async #furnish(cloud: DemoCloud, site: SiteFile, cloudStarted: Promise<void>): Promise<void> {
    await cloudStarted;
    await cloud.publishFirst(site);
    await new DemoOperator(this.folder.operatorKeyFile, this.runSparc).appoint(cloud);
  }

  /** Idempotent; every step runs. What starts at the moment is ended first. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#undo();
    await this.#starting.catch(() => undefined);
    await this.#undo();
  }

  async #undo(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop().catch(() => undefined);
  }

  async #liveSite(): Promise<Omit<RunningDemo, 'mesh'>> {
    const links = await mkdtemp(join(tmpdir(), 'sparc-lines-'));
    this.#stops.push(() => rm(links, { recursive: true, force: true }));
    const { live, site } = await this.#simulated(links);
    this.kind = live.kind;
    this.busCount = live.lines.size;
    this.#stops.push(() => live.stop());
    await live.start();
    return { live, site };
  }

  /** Throws ERR_SIMULATOR_DEMO_FOLDER: an edited site file may be none any more. */
  async #simulated(links: string): Promise<Omit<RunningDemo, 'mesh'>> {
    const { kind, onFailed } = this.options;
    try {
      const files = await this.folder.open();
      this.#stops.push(() => this.folder.close());
      const onMemory = this.folder.remember.bind(this.folder);
      const live = new LiveSite({ ...files, folder: links, onLineEnd: onFailed, onMemory, ...(kind && { kind }) });
      return { live, site: files.site };
    } catch (cause) {
      if (isSparcError(cause)) throw cause;
      const { siteFile } = this.folder;
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `${siteFile} is no site that can be simulated: ${why}`;
      throw new SparcError('ERR_SIMULATOR_DEMO_FOLDER', message, { siteFile }, { cause });
    }
  }

  #origins(): readonly string[] {
    return this.pageUrls.flatMap((url) => {
      const { port } = new URL(url);
      return [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
    });
  }
}

async function listen(api: FastifyInstance): Promise<string> {
  await api.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
