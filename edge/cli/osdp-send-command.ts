import type { Command as CliCommand } from 'commander';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import {
  bytesToHex,
  CodecError,
  codeName,
  COMMANDS,
  CONFIGURATION_ADDRESS,
  decodeCommand,
  describeReply,
  encodeCommand,
  hexToBytes,
  replyText,
  type AcuOptions,
  type Command,
  type Reply,
} from '@sparc/protocol/osdp';
import type { OsdpBus, OsdpBusHandlers } from '@sparc/firmware-bridges/osdp';
import type { Clock } from '@sparc/protocol/ports';
import { createNodeClock, nodeRandom } from '../platform/index.js';
import { examples, jsonOption, type Cli } from './cli.js';
import { deviceKey, KEYS_OPTION } from './osdp-keys.js';
import { addLineOptions, createLine, explained, INATTENTIVE, type LineFlags } from './osdp-line.js';
import { wholeNumber } from './option-values.js';
import { interruption } from './osdp-listen.js';
import { plainFields } from './osdp-printer.js';

interface SendFlags extends LineFlags {
  readonly address: number;
  readonly command?: string;
  readonly args: string;
  readonly hex?: string;
  readonly keys?: string;
  readonly key?: string;
  readonly listen?: number;
  readonly showSecrets: boolean;
}

/** Time for a reader to come up, Secure Channel included: one that knows only checksums is found by the fourth probe. */
const ONLINE_WITHIN_MS = 10_000;
const COMMAND_TTL_MS = 10_000;
const DEVICE = 'reader';
/** Whoever sets keys keeps them as well, or a reader is lost: a gateway does. Handshakes are the machine's own affair. */
const NOT_SENT: readonly Command['name'][] = ['KEYSET', 'CHLNG', 'SCRYPT'];
/** After these a reader will not come up by itself. */
const FINAL: readonly ErrorCode[] = [
  'ERR_OSDP_KEY_REJECTED',
  'ERR_OSDP_SECURE_UNSUPPORTED',
  'ERR_OSDP_SECURE_REQUIRED',
  'ERR_OSDP_CLEAR_REPLY',
];

export function addSendCommand(cli: Cli, osdp: CliCommand): void {
  addLineOptions(osdp.command('send'))
    .description('send one command to a reader and show its reply')
    .requiredOption(
      '--address <n>',
      '0 to 126; 127: the only reader on the line',
      wholeNumber(0, CONFIGURATION_ADDRESS),
    )
    .option('--command <name>', 'such as ID, LSTAT or LED')
    .option('--args <json>', 'fields of the command; bytes as {"hex": "…"}', '{}')
    .option('--hex <bytes>', 'in place of a name: code and payload')
    .option(...KEYS_OPTION)
    .option('--key <name>', 'name of the key in that file (default: the address)')
    .option('--listen <seconds>', 'show for so long what the reader reports afterwards', wholeNumber(1, 3_600))
    .option('--show-secrets', 'card numbers, PINs and data of vendors, too', false)
    .addOption(jsonOption())
    .addHelpText('after', SEND_HELP)
    .addHelpText(
      'after',
      examples(
        'sparc osdp send --serial /dev/ttyUSB0 --address 3 --command ID --args \'{"type": 0}\'',
        'sparc osdp send --serial /dev/ttyUSB0 --address 3 --hex 61.00',
        'sparc osdp send --serial /dev/ttyUSB0 --address 3 --keys osdp-keys.yaml --command BUZ --args \\\n' +
          '      \'{"reader": 0, "tone": 2, "onTicks": 2, "offTicks": 2, "count": 3}\'',
      ),
    )
    .action((flags: SendFlags) => send(cli, flags));
}

const SEND_HELP = `
With --keys the command goes through Secure Channel, without it in clear text. SCBK-D is never used and no key is set:
that is commissioning, which a gateway does (\`sparc commission set-key\`).

Commands: ${COMMANDS.map(({ name }) => name)
  .filter((name) => !NOT_SENT.includes(name))
  .join(' ')}`;

async function send({ output }: Cli, flags: SendFlags): Promise<void> {
  const { address, keys, key, listen, showSecrets } = flags;
  const command = commandOf(flags);
  const clock = createNodeClock();
  const secureChannel: AcuOptions['secureChannel'] =
    keys === undefined ? { mode: 'clear' } : { mode: 'required', scbk: deviceKey(keys, key ?? String(address)) };
  const link = await createLine(flags, clock);
  const { OsdpBus } = await import('@sparc/firmware-bridges/osdp');
  const device = { deviceId: DEVICE, address, secureChannel };
  const bus = new OsdpBus({ clock, random: nodeRandom }, { busId: 'line', link, devices: [device] });
  const line = (value: object, text: string) => output.write(`${output.json ? JSON.stringify(value) : text}\n`);
  let isListening = false;
  try {
    await comeUp(bus, clock, address, {
      onReply(_device, { reply }) {
        if (isListening) line(replyValue(reply, showSecrets), replyText(reply, showSecrets));
        return true;
      },
      onMessage(_device, { name, data }) {
        const content = showSecrets ? { data: bytesToHex(data) } : {};
        const text = `${name} is whole: ${content.data ?? `${data.length} bytes`}`;
        if (isListening) line({ message: name, size: data.length, ...content }, text);
      },
      onNotice: (_device, _code, message) => output.note(`Address ${address}: ${message}.`),
    });
    const reply = await exchange(bus, command);
    const [value, text] = [{ command: command.name, ...replyValue(reply, showSecrets) }, replyText(reply, showSecrets)];
    if (listen === undefined) return output.result(value, text);
    line(value, text);
    isListening = true;
    await interruption(clock, listen);
  } finally {
    await bus.stop();
  }
}

/** Starts the bus and waits for its reader. Rejects with what stands in the way. */
function comeUp(bus: OsdpBus, clock: Clock, address: number, handlers: Partial<OsdpBusHandlers>): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason = new SparcError('ERR_OSDP_SILENT', `address ${address} does not answer`);
    const timer = clock.setTimer(ONLINE_WITHIN_MS, () => reject(reason));
    const fail = (error: SparcError) => {
      timer.cancel();
      reject(error);
    };
    bus.start({
      ...INATTENTIVE,
      ...handlers,
      onLink: (_up, error) => error && fail(explained(error)),
      onStatus(_device, { link }) {
        if (link !== 'online') return;
        timer.cancel();
        resolve();
      },
      onAlarm(code, message) {
        reason = new SparcError(code, `address ${address}: ${message}`);
        if (FINAL.includes(code)) fail(reason);
      },
    });
  });
}

/** @throws SparcError where the reader refuses, or nobody knows whether it obeyed. */
async function exchange(bus: OsdpBus, command: Command): Promise<Reply> {
  const outcome = await bus.send(DEVICE, command, { priority: 'normal', ttlMs: COMMAND_TTL_MS });
  if (outcome.kind === 'acknowledged') return outcome.reply;
  const certainty = outcome.kind === 'unknown' ? '; whether it was executed is not known' : '';
  throw new SparcError(outcome.reason, `${command.name}: ${outcome.detail ?? 'no answer'}${certainty}`);
}

/** Fields that hold a secret are left out unless secrets are asked for. */
function replyValue(reply: Reply, showSecrets: boolean): object {
  const isOpen = showSecrets || describeReply(reply) === describeReply(reply, true);
  return { reply: reply.name, text: replyText(reply, showSecrets), ...(isOpen ? { fields: plainFields(reply) } : {}) };
}

function commandOf({ command: name, args, hex }: SendFlags): Command {
  if ((name === undefined) === (hex === undefined)) throw usage('either --command or --hex');
  return hex === undefined ? namedCommand(String(name).toUpperCase(), args) : commandOfBytes(hex);
}

function assertSent(name: string): void {
  if (!NOT_SENT.some((each) => each === name)) return;
  throw usage(`${name} is not sent from here: \`sparc commission set-key\` gives a reader its key and keeps it`);
}

function commandOfBytes(hex: string): Command {
  const bytes = hexToBytes(hex.replace(/[\s:.-]/g, ''));
  const [code] = bytes ?? [];
  if (bytes === undefined || code === undefined) throw usage('--hex is not hexadecimal');
  assertSent(codeName(false, code));
  const decoded = decodeCommand({ code, payload: bytes.slice(1) });
  if (decoded.ok) return decoded.value;
  throw usage(`--hex: ${decoded.error.message}`);
}

function namedCommand(name: string, args: string): Command {
  assertSent(name);
  if (!COMMANDS.some((each) => each.name === name)) throw usage(`there is no command ${name}`);
  try {
    // Checked at once by encoding: nothing else knows the fields.
    const command = { ...(JSON.parse(args, bytesOfHex) as object), name } as Command;
    encodeCommand(command);
    return command;
  } catch (error) {
    const what = error instanceof CodecError ? error.message : 'no JSON object with the fields of the command';
    throw usage(`--args: ${what}`);
  }
}

/** `{"hex": "0102"}` stands for bytes. */
function bytesOfHex(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('hex' in value) || typeof value.hex !== 'string') return value;
  return hexToBytes(value.hex) ?? value;
}

const usage = (message: string): SparcError => new SparcError('ERR_CLI_USAGE', message);
