import { constants, type Stats } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { SerialPort } from 'serialport';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import { ReopeningLink, type Transport, type TransportEvents } from './reopening-link.js';

export interface SerialLinkOptions {
  /** `/dev/serial/by-id/…` survives a change of USB port, `/dev/ttyUSB0` does not. */
  readonly path: string;
  readonly baudRate: number;
}

/** Bytes a far end that does not take them may leave with us; then they are dropped, as on a wire. */
const WRITE_BUFFER_MAX = 4_096;

/**
 * How often the device is looked for while it is open. A hang-up that falls into a read shows as an endless number of
 * empty reads inside the binding (bindings-cpp 13, `unixRead`), so the binding alone does not notice every unplugging.
 */
const PRESENCE_CHECK_MS = 500;

/** A serial line (8N1, exclusive), a USB RS-485 adapter, or a pseudo-terminal. */
export class SerialLink extends ReopeningLink {
  constructor(clock: Clock, { path, baudRate }: SerialLinkOptions) {
    super(`serial ${path}`, baudRate, true, clock, (events, rate) => openSerial(clock, path, rate, events));
  }
}

async function openSerial(clock: Clock, path: string, baudRate: number, events: TransportEvents): Promise<Transport> {
  const identity = await serialDeviceIdentity(path);
  const port = new SerialPort({ path, baudRate, autoOpen: false, lock: true });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(openError(path, error))));
  });
  port.on('data', (bytes: Buffer) => events.onData(bytes));
  // A failed read or write closes the port; `close` then says so once.
  port.on('error', () => undefined);
  const checkPresence = async () => {
    const present = await serialDeviceIdentity(path).catch(() => undefined);
    if (!port.isOpen) return;
    if (present === identity) presence = clock.setTimer(PRESENCE_CHECK_MS, () => void checkPresence());
    else port.close();
  };
  let presence = clock.setTimer(PRESENCE_CHECK_MS, () => void checkPresence());
  port.on('close', () => {
    presence.cancel();
    events.onEnd(new SparcError('ERR_BUS_DEVICE_UNPLUGGED', `${path} vanished`, { path }));
  });
  return {
    write: (bytes) => {
      if (port.writableLength + bytes.length <= WRITE_BUFFER_MAX) port.write(bytes);
    },
    setBaudRate: (rate) =>
      new Promise((resolve) => {
        // A failure means that the port is going: it is reopened at the new rate.
        port.drain(() => port.update({ baudRate: rate }, () => resolve()));
      }),
    close: () =>
      new Promise((resolve) => {
        if (port.isOpen) port.close(() => resolve());
        else resolve();
      }),
  };
}

/**
 * Changes when the adapter is plugged in anew. Asked before opening, because opening a file or a FIFO as a serial
 * device would change it or wait for ever. Throws the SparcError that says why the path cannot be opened.
 */
async function serialDeviceIdentity(path: string): Promise<string> {
  let device: Stats;
  try {
    device = await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw denied(path, error);
    throw new SparcError('ERR_BUS_DEVICE_MISSING', `${path} does not exist`, { path }, { cause: error });
  }
  if (!device.isCharacterDevice()) throw notSerial(path);
  try {
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw denied(path, error);
  }
  return `${device.dev}:${device.ino}:${device.rdev}`;
}

/** The binding reports the text of errno only. */
function openError(path: string, cause: Error): SparcError {
  if (/lock port|busy/i.test(cause.message)) {
    return new SparcError('ERR_BUS_DEVICE_BUSY', `${path} is in use by another program`, { path }, { cause });
  }
  if (/inappropriate ioctl/i.test(cause.message)) return notSerial(path, cause);
  if (/permission denied/i.test(cause.message)) return denied(path, cause);
  if (/no such (file|device)/i.test(cause.message)) {
    return new SparcError('ERR_BUS_DEVICE_MISSING', `${path} does not exist`, { path }, { cause });
  }
  return new SparcError('ERR_BUS_DEVICE_FAILED', `${path}: ${cause.message}`, { path }, { cause });
}

function notSerial(path: string, cause?: unknown): SparcError {
  return new SparcError('ERR_BUS_DEVICE_NOT_SERIAL', `${path} is no serial device`, { path }, { cause });
}

function denied(path: string, cause: unknown): SparcError {
  return new SparcError('ERR_BUS_DEVICE_DENIED', `no permission to read and write ${path}`, { path }, { cause });
}
