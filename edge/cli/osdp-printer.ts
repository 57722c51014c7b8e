import type { Command } from 'commander';
import {
  bytesToHex,
  codeName,
  describeCommand,
  describeReply,
  EMPTY_SUMMARY,
  quantile,
  summarise,
  type Finding,
  type HeardCounts,
  type MonitorFrame,
  type MonitorItem,
  type MonitorSummary,
  type Reading,
} from '@sparc/protocol/osdp';
import type { Output } from './output.js';
import { table } from './text-table.js';

export interface PrinterFlags {
  /** Also polls without news. */
  readonly all: boolean;
  readonly showSecrets: boolean;
}

export interface PrinterOptions extends PrinterFlags {
  /** Wall time of an instant of the monitor, in milliseconds. */
  readonly unixMs: (atMs: number) => number;
}

export function addPrinterOptions(command: Command): Command {
  return command
    .option('--all', 'also polls without news', false)
    .option('--show-secrets', 'card numbers, PINs and keys, too: nothing for a screen that others see', false)
    .option('--json', 'for programs: one JSON object a line on stdout, errors as JSON on stderr');
}

/** Tells what a monitor hears: a line a frame for people, a JSON object a line for programs. */
export class MonitorPrinter {
  summary: MonitorSummary = EMPTY_SUMMARY;
  /** A POLL whose answer is not known yet. */
  #poll: MonitorFrame | undefined;
  #quietPollCount = 0;
  #day = '';

  constructor(
    private readonly output: Output,
    private readonly options: PrinterOptions,
  ) {}

  print(items: readonly MonitorItem[]): void {
    for (const item of items) {
      this.summary = summarise(this.summary, item);
      if (this.output.json) this.#write(JSON.stringify(itemValue(item, this.options)));
      else this.#tell(item);
    }
  }

  /** The figures of all, at the end. */
  end(): void {
    this.#flush();
    if (this.output.json) this.#write(JSON.stringify({ kind: 'summary', ...summaryValue(this.summary) }));
    else this.#write(summaryText(this.summary));
  }

  #write(line: string): void {
    this.output.write(`${line}\n`);
  }

  #tell(item: MonitorItem): void {
    const poll = this.#poll;
    this.#poll = undefined;
    if (poll !== undefined && isQuiet(item, 'ACK')) {
      this.#quietPollCount += 1;
      return;
    }
    if (poll !== undefined) this.#line(poll);
    if (!this.options.all && isQuiet(item, 'POLL')) this.#poll = item;
    else this.#line(item);
  }

  #flush(): void {
    if (this.#poll !== undefined) this.#line(this.#poll);
    this.#poll = undefined;
    this.#tellQuietPolls();
  }

  #tellQuietPolls(): void {
    if (this.#quietPollCount > 0) this.#write(`              polls without news: ${this.#quietPollCount}`);
    this.#quietPollCount = 0;
  }

  #line(item: MonitorItem): void {
    this.#tellQuietPolls();
    const [day = '', time = ''] = new Date(this.options.unixMs(item.atMs)).toISOString().split(/[TZ]/);
    if (day !== this.#day) this.#write(`${day}, times in UTC`);
    this.#day = day;
    this.#write(`${time}  ${itemText(item)}`);
    if (item.kind !== 'frame') return;
    for (const { text } of item.findings) this.#write(`                              ! ${text}`);
  }
}

function isQuiet(item: MonitorItem, name: 'POLL' | 'ACK'): item is MonitorFrame {
  if (item.kind !== 'frame' || item.repeat || item.findings.length > 0) return false;
  return codeName(item.direction === 'pd', item.frame.code) === name && item.reading.kind !== 'hidden';
}

function itemText(item: MonitorItem): string {
  switch (item.kind) {
    case 'noise':
      return `            -    ${item.text}`;
    case 'unanswered':
      return `ACU > ${address(item.address)}    -    ${item.text} within ${Math.round(item.waitedMs)} ms`;
    case 'frame': {
      const { direction, frame, text, repeat, delayMs } = item;
      const arrow = direction === 'acu' ? '>' : '<';
      const delay = delayMs === undefined ? '' : ` (${delayMs.toFixed(1)} ms)`;
      const secure = isSealed(item) ? 'S' : ' ';
      return `ACU ${arrow} ${address(frame.address)}  ${secure} ${frame.sequence}  ${text}${repeat ? ' (repeat)' : ''}${delay}`;
    }
  }
}

const address = (value: number): string => String(value).padStart(3);
const isSealed = ({ frame: { securityBlock: block } }: MonitorFrame): boolean =>
  block !== undefined && block.type >= 0x15 && block.type <= 0x18;

/** For programs. A frame whose content is a secret comes without its bytes and fields unless secrets are asked for. */
function itemValue(item: MonitorItem, { showSecrets, unixMs }: PrinterOptions): unknown {
  const atUnixMs = Number(unixMs(item.atMs).toFixed(3));
  switch (item.kind) {
    case 'noise': {
      const { kind, damage, text, bytes } = item;
      return { kind, atUnixMs, damage, text, ...(showSecrets ? { bytes: bytesToHex(bytes) } : {}) };
    }
    case 'unanswered':
      return { ...item, atMs: undefined, atUnixMs, name: codeName(false, item.code) };
    case 'frame': {
      const { kind, direction, frame, reading, repeat, delayMs, findings, text, bytes } = item;
      const open = showSecrets || !isSecret(reading);
      return {
        kind,
        atUnixMs,
        address: frame.address,
        direction,
        sequence: frame.sequence,
        secure: isSealed(item),
        name: codeName(frame.reply, frame.code),
        text,
        ...(reading.kind === 'hidden' ? { hidden: reading.reason } : {}),
        ...(open ? { fields: fieldsOf(reading) } : {}),
        repeat,
        delayMs: delayMs && Number(delayMs.toFixed(3)),
        findings: findings.map(({ code, text }: Finding) => ({ code, text })),
        ...(open || isSealed(item) ? { bytes: bytesToHex(bytes) } : {}),
      };
    }
  }
}

/** A message has a secret where its text differs when secrets are shown. What cannot be decoded may be one. */
function isSecret(reading: Reading): boolean {
  switch (reading.kind) {
    case 'command':
      return describeCommand(reading.command) !== describeCommand(reading.command, true);
    case 'reply':
      return describeReply(reading.reply) !== describeReply(reading.reply, true);
    case 'hidden':
    case 'undecodable':
      return true;
  }
}

function fieldsOf(reading: Reading): unknown {
  const message = reading.kind === 'command' ? reading.command : reading.kind === 'reply' ? reading.reply : undefined;
  return message === undefined ? undefined : plainFields(message);
}

/** The fields of a message for JSON, without its name: bytes as hexadecimal text. */
export function plainFields({ name: _name, ...fields }: { readonly name: string }): unknown {
  return JSON.parse(
    JSON.stringify(fields, (_, value: unknown) => (value instanceof Uint8Array ? bytesToHex(value) : value)),
  );
}

const figures = (counts: HeardCounts) => {
  const { delaysMs, ...rest } = counts;
  const rounded = (share: number) => Number(quantile(delaysMs, share)?.toFixed(1));
  return delaysMs.length === 0
    ? rest
    : { ...rest, delayMs: { p50: rounded(0.5), p99: rounded(0.99), max: rounded(1) } };
};

export const summaryValue = ({ pds, ...line }: MonitorSummary) => ({
  ...line,
  devices: Object.entries(pds).map(([each, counts]) => ({ address: Number(each), ...figures(counts) })),
});

function summaryText(summary: MonitorSummary): string {
  const { devices, noiseBytes, badChecks } = summaryValue(summary);
  if (devices.length === 0 && noiseBytes > 0) {
    return `${noiseBytes} bytes and no frame: the rate is wrong, the wires are swapped, or it is no OSDP line.`;
  }
  if (devices.length === 0) return 'Nothing was heard.';
  const head = ['address', 'commands', 'replies', 'repeats', 'silent', 'NAK', 'BUSY', 'delay p50 / p99 / max'];
  const rows = devices.map(({ address, commands, replies, repeats, unanswered, naks, busy, ...each }) => [
    ...[address, commands, replies, repeats, unanswered, naks, busy].map(String),
    'delayMs' in each ? `${each.delayMs.p50} / ${each.delayMs.p99} / ${each.delayMs.max} ms` : '-',
  ]);
  const noise = noiseBytes === 0 ? [] : [`${noiseBytes} bytes of noise, ${badChecks} frames with a wrong check`];
  return ['', ...table(head, rows), ...noise].join('\n');
}
