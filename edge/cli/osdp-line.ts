import { InvalidArgumentError, type Command } from 'commander';
import type { OsdpBusHandlers } from '@sparc/firmware-bridges/osdp';
import { BAUD_RATES } from '@sparc/protocol/osdp';
import { SparcError } from '@sparc/protocol/errors';
import type { ByteLink, Clock } from '@sparc/protocol/ports';
import { baudRate } from './option-values.js';

/** The line that a command of `sparc osdp` works on. */
export interface LineFlags {
  readonly serial?: string;
  readonly tcp?: { readonly host: string; readonly port: number };
  readonly baud: number;
}

const BAUD_RATE_DEFAULT = 9_600;

export function addLineOptions(command: Command): Command {
  return command
    .option('--serial <path>', 'serial device of the line, better /dev/serial/by-id/… than /dev/ttyUSB0')
    .option('--tcp <host:port>', 'serial converter that speaks raw TCP', hostAndPort)
    .option('--baud <rate>', `of the line: ${BAUD_RATES.join(', ')}`, baudRate, BAUD_RATE_DEFAULT);
}

/** Drivers of serial ports are loaded here, so that other commands do not need them. */
export async function createLine({ serial, tcp, baud }: LineFlags, clock: Clock): Promise<ByteLink> {
  const { SerialLink, TcpLink } = await import('@sparc/firmware-bridges/osdp');
  if (serial !== undefined && tcp === undefined) return new SerialLink(clock, { path: serial, baudRate: baud });
  if (tcp !== undefined && serial === undefined) return new TcpLink(clock, { ...tcp, baudRate: baud });
  throw new SparcError('ERR_CLI_USAGE', 'the line is missing: either --serial or --tcp');
}

const ignore = (): void => undefined;

/** For tools that care about a part of what a bus tells. */
export const INATTENTIVE: OsdpBusHandlers = {
  onLink: ignore,
  onReply: () => true,
  onMessage: ignore,
  onStatus: ignore,
  onAlarm: ignore,
  onNotice: ignore,
  onKeyProven: ignore,
};

/** Says what to do where a gateway has the port: two programs on one line would talk over each other. */
export function explained(error: SparcError): SparcError {
  if (error.code !== 'ERR_BUS_DEVICE_BUSY') return error;
  const message = `${error.message}\nIf a gateway drives this line, ask it instead: \`sparc commission\` discovers, captures and commissions through it.`;
  return new SparcError(error.code, message, error.details, { cause: error });
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^[\]]+)\]?:([0-9]{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new InvalidArgumentError('It is not HOST:PORT.');
  }
  return { host, port: Number(port) };
}
