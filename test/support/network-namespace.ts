import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { GatewayHost } from './mesh-gateway.js';
import type { NamespaceAnswer, NamespaceRequest } from './namespace-program.js';
import { skipWithout } from './peers.js';
import type { Ended } from './sparc-command.js';

const runs = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** For `{ skip: … }`. That the programs are missing is a failure with CI=true, that their user may not use them is none. */
export const SKIP_WITHOUT_NAMESPACES =
  skipWithout(
    'unshare or ip',
    runs('unshare', '--version') && runs('ip', '-V'),
    'apt-get install util-linux iproute2',
  ) || (runs('unshare', '--net', 'ip', 'link', 'set', 'lo', 'up') ? false : 'only root may make a network namespace');

type Request = NamespaceRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never;

/**
 * A machine with a network of its own, which shares nothing with that of the host: a process keeps it, and it is gone with
 * that process. Needs root.
 */
export class NetworkNamespace implements GatewayHost {
  #lastId = 0;
  readonly #waiting = new Map<number, (answer: NamespaceAnswer) => void>();

  private constructor(private readonly keeper: ChildProcess) {
    keeper.on('message', (answer: NamespaceAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async create(): Promise<NetworkNamespace> {
    const program = join(import.meta.dirname, 'namespace-program.js');
    const keeper = spawn('unshare', ['--net', process.execPath, program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await once(keeper, 'message');
    const namespace = new NetworkNamespace(keeper);
    namespace.ip('link', 'set', 'lo', 'up');
    return namespace;
  }

  /** What runs a command here, in front of it. */
  get prefix(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.keeper.pid}/ns/net`, '--'];
  }

  sparc(args: readonly string[]): Promise<Ended> {
    return this.#ask({ kind: 'sparc', args }) as Promise<Ended>;
  }

  fetch(url: string): Promise<string> {
    return this.#ask({ kind: 'fetch', url }) as Promise<string>;
  }

  /** A cable to another one, with an address at each end, such as `10.0.0.1/30`. */
  connect(other: NetworkNamespace, name: string, here: string, there: string): Cable {
    this.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', String(other.keeper.pid));
    for (const [end, address] of [
      [this, here],
      [other, there],
    ] as const) {
      end.ip('address', 'add', address, 'dev', name);
      end.ip('link', 'set', name, 'up');
    }
    return new Cable(this, name);
  }

  ip(...args: string[]): void {
    const [command = '', ...rest] = [...this.prefix, 'ip', ...args];
    const { status, stderr } = spawnSync(command, rest, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  }

  async close(): Promise<void> {
    const gone = once(this.keeper, 'exit');
    this.keeper.disconnect();
    await gone;
  }

  async #ask(request: Request): Promise<unknown> {
    const id = (this.#lastId += 1);
    const { value, error } = await new Promise<NamespaceAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.keeper.send({ ...request, id });
    });
    if (error !== undefined) throw new Error(error);
    return value;
  }
}

/** Between two machines. */
export class Cable {
  constructor(
    private readonly end: NetworkNamespace,
    private readonly name: string,
  ) {}

  /** Pulled out at one end, which sees that; to the other one it looks as if nobody answered. */
  cut(): void {
    this.end.ip('link', 'set', this.name, 'down');
  }

  mend(): void {
    this.end.ip('link', 'set', this.name, 'up');
  }
}
