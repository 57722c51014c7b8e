import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@sparc/simulator/live';
import { sparcCloud } from '../support/cloud-command.js';
import { CloudServer } from '../support/cloud-server.js';
import { eventually } from '../support/peers.js';
import { PostgresServer } from '../support/postgres.js';

/** Between two looks at whether it answers. */
const LOOK_PAUSE_MS = 5;
const IMPORT_MAX_MS = 1_200_000;

export const SITE = 'harbour';

/** `sparc-cloud serve` with all roles and its broker inside, over a PostgreSQL of its own, with one site. */
export class CloudService {
  #token = '';

  private constructor(
    private readonly cloud: CloudServer,
    readonly folder: string,
    readonly server: PostgresServer,
    readonly environment: NodeJS.ProcessEnv,
    readonly tenant: string,
  ) {}

  static async start(): Promise<CloudService> {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-'));
    const server = await PostgresServer.start();
    const { url: DATABASE_URL } = await server.createDatabase();
    const ports = { HTTP_PORT: 0, GATEWAY_PORT: 0, MQTT_PORT: 0 };
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
    const environment = {
      ...{ ...process.env, DATABASE_URL, AUTHORITY_KEYS_DIR: join(folder, 'keys'), USER: 'bench' },
      ...{ JWT_SECRET: 'a secret of a bench, long enough to be one', PUBLIC_HOST: '127.0.0.1' },
      ...{ GATEWAY_HOST: '127.0.0.1', MQTT_HOST: '127.0.0.1', PUBLIC_MQTT_PORT: String(ports.MQTT_PORT) },
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    };
    await sparcCloud(environment, 'migrate');
    const seeded = JSON.parse(await sparcCloud(environment, 'seed', '--json')) as Record<string, string>;
    const { tenant = '', name = '', password = '' } = seeded;
    await sparcCloud(environment, 'site', 'create', SITE, '--name', 'Harbour', '--tenant', tenant);
    const cloud = await CloudServer.of(environment);
    const service = new CloudService(cloud, folder, server, environment, tenant);
    cloud.start();
    await cloud.ready();
    const { accessToken } = await service.call<{ accessToken: string }>('POST', '/login', { name, password });
    service.#token = accessToken;
    return service;
  }

  get databaseUrl(): string {
    return this.environment.DATABASE_URL ?? '';
  }

  get pid(): number | undefined {
    return this.cloud.pid;
  }

  /** Under `/api/v1`; a text goes as it is, as what `textType` says. Throws what the service says of a failure. */
  async call<T>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object | string,
    textType: 'text/yaml' | 'text/csv' = 'text/yaml',
  ): Promise<T> {
    const type = typeof body === 'string' ? textType : 'application/json';
    const answer = await this.#ask(method, path, typeof body === 'object' ? JSON.stringify(body) : body, type);
    const text = Buffer.concat(await answer.toArray()).toString();
    if (answer.statusCode === undefined || answer.statusCode >= 400)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text) as T;
  }

  /** How many bytes there are under `path`; none is kept. */
  async receivedBytes(path: string): Promise<number> {
    let bytes = 0;
    for await (const chunk of await this.#ask('GET', path)) bytes += (chunk as Buffer).length;
    return bytes;
  }

  /** However long the answer takes, which `fetch` gives up after five minutes. */
  async #ask(method: string, path: string, body?: string, type?: string): Promise<IncomingMessage> {
    const asked = request(`http://127.0.0.1:${this.environment.HTTP_PORT}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body !== undefined && { 'content-type': type }) },
    });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  }

  /** Into the draft of the site; resolves when all are in it. */
  async importPeople(table: string): Promise<void> {
    const imports = `/sites/${SITE}/policy/imports`;
    const { id } = await this.call<{ id: string }>('POST', imports, table, 'text/csv');
    await eventually(
      'people are imported',
      async () => {
        const said = await this.call<{ state: string }>('GET', `${imports}/${id}`);
        if (said.state === 'failed') throw new Error(JSON.stringify(said).slice(0, 500));
        return said.state === 'done';
      },
      IMPORT_MAX_MS,
    );
  }

  /** The most memory that it had so far. */
  peakBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  }

  /** The longest that it took to answer anybody while this work went on: so long its event loop stood still, at the most. */
  async longestAnswerMs(work: () => Promise<unknown>): Promise<number> {
    let isOver = false;
    let longestMs = 0;
    const looking = (async () => {
      while (!isOver) {
        const askedMs = performance.now();
        await this.cloud.status('/healthz');
        longestMs = Math.max(longestMs, performance.now() - askedMs);
        await sleep(LOOK_PAUSE_MS);
      }
    })();
    try {
      await work();
    } finally {
      isOver = true;
      await looking;
    }
    return longestMs;
  }

  async stop(): Promise<void> {
    await this.cloud.end();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** So many holders with a card and a PIN, a line each. */
export function peopleTable(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => {
    const id = at.toString(36).padStart(6, '0');
    return `h-${id},Holder Number ${at},c-${id},32,${(at + 1).toString(16).padStart(8, '0')},${String(at % 10_000).padStart(4, '0')},staff`;
  });
  return `holder,name,credential,bits,value,pin,profiles\n${lines.join('\n')}\n`;
}
