import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { buildControlApi } from './control-api.js';
import { DemoFolder } from './demo-folder.js';
import { assertPortFree, GatewayProcess } from './gateway-process.js';
import type { LineKind } from './line-end.js';
import { LiveSite, type LiveSiteOptions } from './live-site.js';

export interface DemoOptions {
  readonly dataPath: string;
  /** Of the page. */
  readonly port: number;
  readonly kind?: LineKind;
  /** Something ended that should not have; the demo is to be stopped. */
  readonly onFailed: (error: SparcError) => void;
}

/** The demo site and a gateway that runs it: starts in order, stops in reverse. */
export class Demo {
  readonly folder: DemoFolder;
  readonly pageUrl: string;
  simulatorUrl = '';
  kind: LineKind | undefined;
  busCount = 0;
  readonly #stops: (() => Promise<unknown>)[] = [];

  constructor(private readonly options: DemoOptions) {
    this.folder = new DemoFolder(options.dataPath);
    this.pageUrl = `http://127.0.0.1:${options.port}/`;
  }

  /** Throws ERR_SIMULATOR_…; call `stop` in any case. */
  async start(): Promise<void> {
    const { port, kind, onFailed } = this.options;
    await assertPortFree(port);
    const links = await mkdtemp(join(tmpdir(), 'sparc-lines-'));
    this.#stops.push(() => rm(links, { recursive: true, force: true }));

    const live = await this.#liveSite({ folder: links, onLineEnd: onFailed, ...(kind && { kind }) });
    this.kind = live.kind;
    this.busCount = live.lines.size;
    this.#stops.push(() => live.stop());
    await live.start();

    const api = buildControlApi(live, [`http://127.0.0.1:${port}`, `http://localhost:${port}`]);
    this.#stops.push(() => api.close());
    this.simulatorUrl = await listen(api);

    const { bundle } = this.folder;
    await this.folder.writeGateway(live.addresses, port, this.simulatorUrl, await bundle.open());
    await bundle.import(this.folder.gatewayFile);
    const gateway = new GatewayProcess(this.folder, this.pageUrl);
    gateway.onEnded = onFailed;
    await gateway.applyPolicy();
    this.#stops.push(() => gateway.stop());
    await gateway.start();
  }

  /** Throws ERR_SIMULATOR_DEMO_FOLDER: an edited site file may be none any more. */
  async #liveSite(options: Pick<LiveSiteOptions, 'folder' | 'onLineEnd' | 'kind'>): Promise<LiveSite> {
    try {
      const files = await this.folder.open();
      this.#stops.push(() => this.folder.close());
      return new LiveSite({ ...options, ...files, onMemory: (id, memory) => this.folder.remember(id, memory) });
    } catch (cause) {
      if (isSparcError(cause)) throw cause;
      const { siteFile } = this.folder;
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `${siteFile} is no site that can be simulated: ${why}`;
      throw new SparcError('ERR_SIMULATOR_DEMO_FOLDER', message, { siteFile }, { cause });
    }
  }

  /** Idempotent; every step runs. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop().catch(() => undefined);
  }
}

async function listen(api: FastifyInstance): Promise<string> {
  await api.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
