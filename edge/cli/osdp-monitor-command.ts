import { closeSync, openSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import {
  createMonitor,
  EMPTY_SUMMARY,
  encodeCaptureLine,
  stepMonitor,
  summarise,
  type MonitorItem,
} from '@sparc/protocol/osdp';
import type { Clock } from '@sparc/protocol/ports';
import { createNodeClock } from '../platform/index.js';
import { examples, type Cli } from './cli.js';
import { KEYS_OPTION, monitorKeys } from './osdp-keys.js';
import { addLineOptions, createLine, type LineFlags } from './osdp-line.js';
import { wholeNumber } from './option-values.js';
import { listen } from './osdp-listen.js';
import { addPrinterOptions, MonitorPrinter, summaryValue, type PrinterFlags } from './osdp-printer.js';

/** A day: nobody sits before a monitor for longer, and a capture of a day fills no disk. */
const SECONDS_MAX = 86_400;

interface MonitorFlags extends LineFlags, PrinterFlags {
  readonly keys?: string;
  readonly seconds?: number;
}
type CaptureFlags = LineFlags & { readonly seconds?: number };

export function addMonitorCommand(cli: Cli, osdp: Command): void {
  const command = addLineOptions(osdp.command('monitor'))
    .description('listen on a line between an ACU and its readers, and say what is there; sends nothing')
    .option('--seconds <n>', 'end by itself', wholeNumber(1, SECONDS_MAX))
    .option(...KEYS_OPTION);
  addPrinterOptions(command)
    .addHelpText('after', MONITOR_HELP)
    .addHelpText(
      'after',
      examples(
        'sparc osdp monitor --serial /dev/ttyUSB0',
        'sparc osdp monitor --tcp 192.0.2.7:4001 --baud 115200 --keys osdp-keys.yaml',
      ),
    )
    .action((flags: MonitorFlags) => monitor(cli, flags));
}

const MONITOR_HELP = `
A session can be read with its key if its handshake is heard: switch the reader off and on while this runs.
Card numbers, PINs and keys are masked, unless they are asked for.`;

export function addCaptureCommand(cli: Cli, osdp: Command): void {
  addLineOptions(osdp.command('capture <file>'))
    .description('listen on a line and write what is there to an osdpcap file, as it is on the line')
    .option('--seconds <n>', 'end by itself', wholeNumber(1, SECONDS_MAX))
    .option('--json', 'for programs: one JSON value on stdout, errors as JSON on stderr')
    .addHelpText(
      'after',
      '\nWhat a reader says outside Secure Channel can be read in the file: card numbers and PINs, too.',
    )
    .addHelpText('after', examples('sparc osdp capture door.osdpcap --serial /dev/ttyUSB0 --seconds 60'))
    .action((file: string, flags: CaptureFlags) => capture(cli, file, flags));
}

async function monitor({ output }: Cli, flags: MonitorFlags): Promise<void> {
  const clock = createNodeClock();
  const unixMs = wallOf(clock);
  let state = createMonitor({ keys: monitorKeys(flags.keys), showSecrets: flags.showSecrets });
  const printer = new MonitorPrinter(output, { ...flags, unixMs });
  const link = await createLine(flags, clock);
  await listen({ clock, link, output }, flags.seconds, (bytes, atMs) => {
    const next = stepMonitor(state, { atMs, bytes });
    state = next.state;
    printer.print(next.items);
  });
  printer.end();
}

async function capture({ output }: Cli, file: string, flags: CaptureFlags): Promise<void> {
  const clock = createNodeClock();
  const unixMs = wallOf(clock);
  const link = await createLine(flags, clock);
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw new SparcError('ERR_CLI_WRITE_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
    }
  };
  // Never over another capture, and for its owner alone: what is said in clear may be a card number.
  const descriptor = guarded(() => openSync(file, 'wx', 0o600));
  let state = createMonitor();
  let summary = EMPTY_SUMMARY;
  const keep = (item: MonitorItem) => {
    summary = summarise(summary, item);
    if (item.kind === 'unanswered') return;
    const unixNs = BigInt(Math.round(unixMs(item.atMs) * 1_000)) * 1_000n;
    guarded(() => writeSync(descriptor, `${encodeCaptureLine({ unixNs, io: 'trace', bytes: item.bytes })}\n`));
  };
  try {
    await listen({ clock, link, output }, flags.seconds, (bytes, atMs) => {
      const next = stepMonitor(state, { atMs, bytes });
      state = next.state;
      next.items.forEach(keep);
    });
  } finally {
    closeSync(descriptor);
  }
  const { devices } = summaryValue(summary);
  const frameCount = devices.reduce((sum, { commands, replies }) => sum + commands + replies, 0);
  output.result({ file, ...summaryValue(summary) }, `${file} has ${frameCount} frames of ${devices.length} devices.`);
}

/** Wall time of a monotonic instant: the difference is taken once, so that the time of a capture never steps. */
function wallOf(clock: Clock): (atMs: number) => number {
  const differenceMs = clock.wall().unixMs - clock.monotonicMs();
  return (atMs) => atMs + differenceMs;
}
