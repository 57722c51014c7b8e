import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Of a channel in the process that was started with it: behind the standard streams. */
const CHANNEL_FD = 3;

export interface LineChannel {
  /** `onTaken`: the system has it, or never will. */
  send(message: unknown, onTaken?: () => void): void;
  /** Idempotent. Nothing that comes after it is heard. */
  close(): void;
}

export interface LineHandlers {
  /** Throws as JSON does, within the handler of the caller alone. */
  readonly onLine: (line: string) => void;
  /** There is no other end any more. */
  readonly onClose?: () => void;
}

/**
 * Messages of two processes, a line of JSON each. Node's own channel between them ends the process that hears a line which
 * is none; here it is for the reader to say what becomes of it.
 */
export function lineChannel(pipe: Duplex, { onLine, onClose }: LineHandlers, lineMax = Infinity): LineChannel {
  let rest = '';
  pipe.setEncoding('utf8');
  pipe.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // Without its end it is no message, and so it is given as it is.
    if (rest.length > lineMax) lines.push(rest);
    for (const line of lines) if (!pipe.destroyed) onLine(line);
  });
  // The end of the other process is told by itself.
  pipe.on('error', () => undefined);
  pipe.once('close', () => onClose?.());
  return {
    send: (message, onTaken) => void pipe.write(`${JSON.stringify(message)}\n`, () => onTaken?.()),
    close: () => void pipe.destroy(),
  };
}

/** In a part process: to the gateway that started it, which is believed. */
export function gatewayChannel(handlers: LineHandlers): LineChannel {
  return lineChannel(new Socket({ fd: CHANNEL_FD, readable: true, writable: true }), handlers);
}
