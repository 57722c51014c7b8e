import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { Option, type Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { OPERATIONS, OpenWindow, type Operation, type TaskView } from '../commissioning/index.js';
import { loadGatewayConfig } from '../config/index.js';
import { createNodeClock } from '../platform/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { interruptible, runTask } from './commission-task.js';
import { foundText, healthText, instant, missingText, statusText } from './commission-texts.js';
import { EXIT } from './exit-codes.js';
import { number, numbers, ranges } from './option-values.js';

const CODE_VARIABLE = 'SPARC_COMMISSIONING_CODE';
const MINUTES_DEFAULT = 30;
const CAPTURE_SECONDS_DEFAULT = 60;

interface Flags {
  readonly config: string;
}
interface WorkFlags extends Flags {
  /** Absent where a code is given. */
  readonly operator?: string;
}
/** Where a device that a search found is. */
interface PlaceFlags extends WorkFlags {
  readonly bus?: string;
  readonly address?: number;
  readonly baudRate?: number;
}

export function addCommissionCommands(cli: Cli): void {
  const commission = cli.program
    .command('commission')
    .description('put readers into service on a gateway that runs')
    .addHelpText('after', HELP)
    .addHelpText('after', examples('sparc commission open --operator "Ada Lovelace"', 'sparc commission health'));

  look(commission, 'open', 'open the time in which a named person may commission, and print its code')
    .requiredOption('--operator <name>', 'who commissions; everything is recorded with the name')
    .addOption(minutesOption())
    .addHelpText('after', examples('sparc commission open --operator "Ada Lovelace" --minutes 60'))
    .action((flags: Flags & { operator: string; minutes: number }) => open(cli, flags));
  look(commission, 'close', 'end it; what still runs is ended safely').action(async (flags: Flags) => {
    await clientOf(flags).close();
    cli.output.result({ closed: true }, 'Commissioning is closed.');
  });
  look(commission, 'status', 'show the window, the keys of readers and what was done').action(async (flags: Flags) => {
    const view = await clientOf(flags).view();
    cli.output.result(view, statusText(view));
  });
  look(commission, 'health', 'report on every bus and reader, with what is wrong in plain words')
    .addHelpText('after', '\nEnds with 1 where something is bad.')
    .addHelpText('after', examples('sparc commission health', 'sparc commission health --json'))
    .action((flags: Flags) => health(cli, flags));

  work(commission, 'discover <bus>', 'search a bus for readers; those in service go on reading cards')
    .option('--baud-rates <list>', 'such as 9600,115200 (default: every rate)', numbers)
    .option('--addresses <list>', 'such as 0-15,20 (default: every address)', ranges)
    .addHelpText('after', '\nEnds with 1 where two devices have one address.')
    .addHelpText('after', examples('sparc commission discover bus-1 --baud-rates 9600,115200 --operator Ada'))
    .action(async (bus: string, flags: WorkFlags & { baudRates?: number[]; addresses?: number[] }) => {
      const { found = [] } = await done(cli, flags, {
        kind: 'discover',
        bus,
        ...(flags.baudRates === undefined ? {} : { baudRates: flags.baudRates }),
        ...(flags.addresses === undefined ? {} : { addresses: flags.addresses }),
      });
      const { devices } = await clientOf(flags).view();
      const missing = devices.filter(
        (device) => device.bus === bus && !found.some((each) => each.device === device.id),
      );
      cli.output.result(found, [foundText(found), ...missingText(missing)].join('\n'));
      if (found.some(({ conflict }) => conflict)) cli.exitCode = EXIT.checkFailed;
    });
  atPlace(work(commission, 'identify [reader]', 'let a reader blink and beep'))
    .addHelpText('after', examples('sparc commission identify front-reader --operator Ada'))
    .action(async (device: string | undefined, flags: PlaceFlags) => {
      const operation =
        device === undefined ? { kind: 'identifyFound', ...placeOf(flags) } : { kind: 'identify', device };
      tell(cli, await done(cli, flags, operation), `${device ?? 'The reader'} blinked and beeped.`);
    });
  atPlace(work(commission, 'set-address <new-address>', 'move a reader that a search found to an address of the plan'))
    .addHelpText(
      'after',
      examples('sparc commission set-address 3 --bus bus-1 --address 0 --baud-rate 9600 --operator Ada'),
    )
    .action(async (to: string, flags: PlaceFlags) => {
      const place = placeOf(flags);
      const newAddress = number(to);
      tell(
        cli,
        await done(cli, flags, { kind: 'setAddress', ...place, newAddress }),
        `The reader is at address ${newAddress} of ${place.bus} now.`,
      );
    });
  work(commission, 'set-speed <bus> <baud-rate>', 'move all readers of a bus, then the bus, to another speed')
    .addHelpText('after', examples('sparc commission set-speed bus-1 115200 --operator Ada'))
    .action(async (bus: string, rate: string, flags: WorkFlags) => {
      const baudRate = number(rate);
      const task = await done(cli, flags, { kind: 'setBusSpeed', bus, baudRate });
      tell(cli, task, `${bus} runs at ${baudRate} baud now.`);
    });
  work(commission, 'set-key <reader>', 'give a reader a new random key')
    .addHelpText('after', examples('sparc commission set-key front-reader --operator Ada'))
    .action(async (device: string, flags: WorkFlags) => {
      tell(cli, await done(cli, flags, { kind: 'setKey', device }), `${device} has proven its new key.`);
    });
  work(commission, 'capture <bus>', 'record the frames of a bus to a file in the data directory')
    .option('--seconds <n>', 'how long', number, CAPTURE_SECONDS_DEFAULT)
    .addHelpText('after', examples('sparc commission capture bus-1 --seconds 600 --operator Ada'))
    .action(async (bus: string, flags: WorkFlags & { seconds: number }) => {
      const task = await done(cli, flags, { kind: 'capture', bus, seconds: flags.seconds });
      tell(
        cli,
        task,
        `Recorded to ${join(loadGatewayConfig(flags.config).dataDir, task.file ?? '')}. Read it with \`sparc osdp replay\`.`,
      );
    });
  work(commission, 'transfer <bundle> <readers...>', 'send an imported bundle, one reader of a pair at a time')
    .option('--accept-door-outage', 'also to devices that drive a lock or carry an exit request')
    .addHelpText('after', '\nStarted again, a transfer goes on where it stopped.')
    .addHelpText('after', examples('sparc commission transfer 3f9a02b1c4d5e6f7 front-reader lab-reader --operator Ada'))
    .action(async (bundle: string, devices: string[], flags: WorkFlags & { acceptDoorOutage?: boolean }) => {
      const { acceptDoorOutage = false } = flags;
      const task = await done(cli, flags, { kind: 'transfer', bundle, devices, acceptDoorOutage });
      tell(cli, task, `${devices.join(', ')}: done.`);
    });
  work(commission, 'cancel <task>', 'end something that runs').action(async (task: string, flags: WorkFlags) => {
    const client = clientOf(flags);
    await client.start({ kind: 'cancel', task }, await codeOf(client, flags));
    cli.output.result({ cancelled: task }, `${task} ends.`);
  });
}

const HELP = `
What changes a reader needs the code of an open window, in ${CODE_VARIABLE}, or --operator, which opens a window for this
command and closes it behind it. Only who may read the gateway's data directory can open one.`;

/** A command that everybody may use who can read the data directory. */
function look(commission: Command, name: string, description: string): Command {
  return commission.command(name).description(description).addOption(configOption()).addOption(jsonOption());
}

/** A command that needs a window. */
function work(commission: Command, name: string, description: string): Command {
  return look(commission, name, description).option('--operator <name>', 'who commissions, where no code is given');
}

function atPlace(command: Command): Command {
  return command
    .option('--bus <bus>', 'bus of a reader that a search found')
    .option('--address <n>', 'its address', number)
    .option('--baud-rate <n>', 'its speed', number);
}

function placeOf({ bus, address, baudRate }: PlaceFlags) {
  if (bus !== undefined && address !== undefined && baudRate !== undefined) return { bus, address, baudRate };
  throw new SparcError('ERR_CLI_USAGE', 'where the reader is: --bus, --address and --baud-rate, as a search found it');
}

function minutesOption(): Option {
  return new Option('--minutes <n>', 'how long, 1 to 240').argParser(number).default(MINUTES_DEFAULT);
}

function clientOf({ config }: Flags): CommissionClient {
  return CommissionClient.of(loadGatewayConfig(config).dataDir);
}

async function open(cli: Cli, flags: Flags & { readonly operator: string; readonly minutes: number }): Promise<void> {
  const { operator, minutes } = flags;
  if (!Value.Check(OpenWindow, { operator, minutes })) {
    throw new SparcError('ERR_CLI_USAGE', '--minutes is 1 to 240, --operator a name of at most 64 letters');
  }
  const opened = await clientOf(flags).open(operator, minutes);
  const text = [
    `Commissioning is open for ${operator} until ${instant(opened.endsAtUnixMs)}.`,
    '',
    `  Code: ${opened.code}`,
    '',
    'Enter it on the page under Commissioning, or give it to the commands:',
    `  export ${CODE_VARIABLE}=${opened.code}`,
  ];
  cli.output.result(opened, text.join('\n'));
}

async function health(cli: Cli, flags: Flags): Promise<void> {
  const view = await clientOf(flags).buses();
  cli.output.result(view, healthText(view));
  if (view.buses.some(({ findings }) => findings.some(({ level }) => level === 'bad'))) {
    cli.exitCode = EXIT.checkFailed;
  }
}

/** Runs an operation to its end, in the window whose code is given or in one of its own. */
async function done(cli: Cli, flags: WorkFlags, operation: object): Promise<TaskView> {
  const checked = operationOf(operation);
  const client = clientOf(flags);
  return interruptible(async (signal) => {
    const code = await codeOf(client, flags);
    try {
      return await runTask({ client, clock: createNodeClock(), output: cli.output }, checked, code, signal);
    } finally {
      if (process.env[CODE_VARIABLE] === undefined) await client.close();
    }
  });
}

async function codeOf(client: CommissionClient, { operator }: WorkFlags): Promise<string> {
  const code = process.env[CODE_VARIABLE];
  if (code !== undefined) return code;
  if (operator !== undefined) return (await client.open(operator, MINUTES_DEFAULT)).code;
  throw new SparcError('ERR_CLI_USAGE', `give the code of an open window in ${CODE_VARIABLE}, or --operator NAME`);
}

/** Says before anything is sent what is out of range. */
function operationOf(operation: object): Operation {
  const kind = (operation as Operation).kind;
  const schema = OPERATIONS[kind];
  const [problem] = Value.Errors(schema, operation);
  if (problem === undefined) return operation as Operation;
  const option = problem.path.slice(1).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new SparcError('ERR_CLI_USAGE', `${option.split('/')[0]}: ${problem.message.toLowerCase()}`);
}

function tell(cli: Cli, task: TaskView, human: string): void {
  cli.output.result(task, human);
}
