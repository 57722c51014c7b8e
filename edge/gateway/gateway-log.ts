import { Writable } from 'node:stream';
import { pino, type DestinationStream } from 'pino';
import { errorFields } from '@sparc/protocol/errors';
import type { GatewayConfig } from '../config/index.js';
import type { FieldLog } from '../field/index.js';

/**
 * The gateway's log on stdout: JSON lines as pino writes them, or the same as text for a person. Messages are constant,
 * data is in fields; no card number, PIN or key is ever among them.
 */
export function createLog(level: GatewayConfig['log']['level'], json: boolean): FieldLog {
  const options = { level, base: null, serializers: { error: errorFields } };
  return json ? pino(options) : pino(options, forPeople(process.stdout));
}

function forPeople(out: NodeJS.WritableStream): DestinationStream {
  return new Writable({
    write(line: Buffer, _encoding, done) {
      out.write(text(JSON.parse(line.toString('utf8')) as LogLine), () => done());
    },
  });
}

interface LogLine {
  readonly level: number;
  readonly time: number;
  readonly msg: string;
}

function text({ level, time, msg, ...fields }: LogLine): string {
  const clock = new Date(time).toISOString().slice(11, 19);
  const data = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${[clock, (pino.levels.labels[level] ?? '').padEnd(5), msg, ...data].join(' ')}\n`;
}
