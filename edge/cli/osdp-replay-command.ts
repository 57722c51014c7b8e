import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { createMonitor, decodeCaptureLine, stepMonitor, type CodecError } from '@sparc/protocol/osdp';
import { examples, type Cli } from './cli.js';
import { KEYS_OPTION, monitorKeys } from './osdp-keys.js';
import { addPrinterOptions, MonitorPrinter, type PrinterFlags } from './osdp-printer.js';

interface ReplayFlags extends PrinterFlags {
  readonly keys?: string;
}

export function addReplayCommand(cli: Cli, osdp: Command): void {
  const command = osdp
    .command('replay <file>')
    .description('say what is in an osdpcap file, of this or of another program; - reads stdin')
    .option(...KEYS_OPTION);
  addPrinterOptions(command)
    .addHelpText(
      'after',
      examples('sparc osdp replay door.osdpcap', 'sparc osdp replay door.osdpcap --keys osdp-keys.yaml --json'),
    )
    .action((file: string, flags: ReplayFlags) => replay(cli, file, flags));
}

async function replay({ output }: Cli, file: string, flags: ReplayFlags): Promise<void> {
  let state = createMonitor({ keys: monitorKeys(flags.keys), showSecrets: flags.showSecrets });
  const printer = new MonitorPrinter(output, { ...flags, unixMs: (atMs) => atMs });
  const hear = (atMs: number, bytes: Uint8Array) => {
    const next = stepMonitor(state, { atMs, bytes });
    state = next.state;
    printer.print(next.items);
  };
  const unreadable: CodecError[] = [];
  let lineNumber = 0;
  let last: CodecError | undefined;
  for await (const line of linesOf(file)) {
    lineNumber += 1;
    const record = decodeCaptureLine(line, lineNumber);
    last = record.ok ? undefined : record.error;
    if (!record.ok) unreadable.push(record.error);
    // In microseconds: a number of milliseconds has no room for nanoseconds since 1970.
    else if (record.value !== undefined) hear(Number(record.value.unixNs / 1_000n) / 1_000, record.value.bytes);
  }
  hear(Infinity, new Uint8Array(0));
  printer.end();
  const isCutShort = last !== undefined && unreadable.length === 1 && lineNumber > 1;
  if (isCutShort) return output.note(`The last line of ${file} was passed over: ${last?.message ?? ''}.`);
  const [first] = unreadable;
  if (first === undefined) return;
  const more = unreadable.length === 1 ? '' : `\nand ${unreadable.length - 1} more lines`;
  throw new SparcError(first.code, `${file}: ${first.message}${more}`, { file, lines: unreadable.length });
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (cause) {
    throw new SparcError('ERR_CLI_READ_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}
