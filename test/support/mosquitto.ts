import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@sparc/simulator/live';
import { eventually, skipWithout } from './peers.js';
import { readRepositoryFile } from './repository.js';

const INSTALLED = spawnSync('mosquitto', ['-h']).error === undefined;

export const SKIP_WITHOUT_MOSQUITTO = skipWithout('Mosquitto', INSTALLED, 'apt-get install mosquitto');

/** Mosquitto as `deploy/mosquitto` has it, on loopback, with the certificates of a folder. */
export class Mosquitto {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly portOfGateways: number,
    readonly portOfCloud: number,
  ) {}

  /** `certificates` writes them to the folder that it is given. */
  static async start(certificates: (folder: string) => Promise<void>): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-mosquitto-'));
    const [gateways, cloud] = [await freePort(), await freePort()];
    await certificates(folder);
    // It gives up being root, and reads them again as another user.
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'broker.key'), 0o644);
    for (const name of ['mosquitto.conf', 'acl']) {
      const text = readRepositoryFile(`deploy/mosquitto/${name}`)
        .replaceAll('/etc/mosquitto/sparc', folder)
        .replace('listener 8883', `listener ${gateways} 127.0.0.1`)
        .replace('listener 8884', `listener ${cloud} 127.0.0.1`);
      writeFileSync(join(folder, name), text);
    }
    const mosquitto = new Mosquitto(folder, gateways, cloud);
    await mosquitto.run();
    return mosquitto;
  }

  /** Also after `kill`. */
  async run(): Promise<void> {
    this.#process = spawn('mosquitto', ['-c', join(this.folder, 'mosquitto.conf')], { stdio: 'ignore' });
    await eventually('Mosquitto listens', () => isListening(this.portOfCloud), 60_000);
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const found = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => found(true)).once('error', () => found(false));
  });
