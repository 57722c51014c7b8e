import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SerialPort } from 'serialport';
import { SparcError } from '@sparc/protocol/errors';

export type LineKind = 'pty' | 'tcp';

/** How the gateway reaches a bus, as `buses` of its configuration says it. */
export type LineAddress = { readonly serial: { readonly path: string } } | { readonly tcp: TcpAddress };
interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** The gateway's end of a simulated line, in the real world. */
export interface LineEnd {
  readonly address: LineAddress;
  /** To the gateway. Dropped while nobody listens. */
  write(bytes: Uint8Array): void;
  stop(): Promise<void>;
}

export interface LineEndEvents {
  /** `baudRate`: what the gateway's end is set to; undefined where the line alone decides. */
  onBytes(bytes: Uint8Array, baudRate?: number): void;
  /** The line ended by itself. */
  onEnd(error: SparcError): void;
}

interface TerminalSettings {
  getBaudRate(): Promise<{ baudRate: number }>;
  close(): Promise<void>;
}

export function hasSocat(): boolean {
  return spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0;
}

const PTY_APPEARS_MS = 5_000;

/** A pseudo-terminal that socat keeps, linked into `folder`. Throws ERR_SIMULATOR_LINE. */
export async function openPty(folder: string, busId: string, events: LineEndEvents): Promise<LineEnd> {
  const path = join(folder, busId);
  // Its own process group: Ctrl-C in the terminal reaches the gateway first, which still locks its doors over this line.
  const socat = spawn('socat', [`pty,raw,echo=0,link=${path}`, '-'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  let isStopping = false;
  const ended = once(socat, 'exit').then(() => {
    if (!isStopping) events.onEnd(new SparcError('ERR_SIMULATOR_LINE', `socat, which kept ${path}, ended`));
  });
  socat.stdin.on('error', () => undefined);

  const stop = async () => {
    isStopping = true;
    socat.kill();
    await ended;
  };
  const givesUpAtMs = performance.now() + PTY_APPEARS_MS;
  while (!(await exists(path))) {
    if (performance.now() > givesUpAtMs || socat.exitCode !== null) {
      await stop();
      throw new SparcError('ERR_SIMULATOR_LINE', `socat made no pseudo-terminal at ${path}`);
    }
    await pause(10);
  }
  // A second hand on the terminal, to see the rate that the gateway sets.
  const settings: TerminalSettings = await SerialPort.binding.open({ path, baudRate: 9_600, lock: false });
  const hear = async (bytes: Uint8Array) => {
    const { baudRate } = await settings.getBaudRate();
    events.onBytes(bytes, baudRate);
  };
  let heard: Promise<void> = Promise.resolve();
  socat.stdout.on('data', (bytes: Uint8Array) => {
    // One after the other; a terminal that is being closed has nothing more to say.
    heard = heard.then(() => hear(bytes)).catch(() => undefined);
  });
  return {
    address: { serial: { path } },
    write: (bytes) => void socat.stdin.write(bytes),
    stop: async () => {
      await settings.close();
      await stop();
    },
  };
}

/** A converter on loopback, as a serial device server would be: one client at a time, the newest. */
export async function openTcp(events: LineEndEvents): Promise<LineEnd> {
  let client: Socket | undefined;
  const server = createServer((socket) => {
    client?.destroy();
    client = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Uint8Array) => events.onBytes(bytes));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: { tcp: { host: '127.0.0.1', port } },
    write: (bytes) => {
      if (client?.writable) client.write(bytes);
    },
    stop: async () => {
      client?.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
