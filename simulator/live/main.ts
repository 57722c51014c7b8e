import { relative, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { isSparcError } from '@sparc/protocol/errors';
import { Demo } from './demo.js';
import { offlineSite, runOffline } from './offline/index.js';

const program = new Command('npm start --')
  .description(
    'Runs the demo site: three gateways, their cloud, and simulated readers and doors that talk real OSDP to them.',
  )
  .option(
    '--port <port>',
    'port of the first page on loopback; the next five are those of the other gateways and of the cloud',
    portNumber,
    8_080,
  )
  .option('--data <folder>', 'where the demo keeps its files between runs (default: data/demo, or data/SCENARIO)')
  .option('--tcp', 'carry the buses over TCP even where socat is installed')
  .addOption(
    new Option(
      '--scenario <name>',
      'play this at the site, say what became of its promises, and end; offline: links are cut, a gateway is killed, an operator locks down and releases, the site heals',
    ).choices(['offline']),
  )
  .addHelpText(
    'after',
    '\nExamples:\n  npm start\n  npm start -- --port 8081\n  npm start -- --tcp\n  npm start -- --scenario offline',
  )
  .parse();
const {
  port,
  scenario,
  data = `data/${scenario ?? 'demo'}`,
  tcp,
} = program.opts<{
  port: number;
  data?: string;
  tcp?: true;
  scenario?: 'offline';
}>();

function portNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new InvalidArgumentError('1 to 65535');
  return number;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const complain = (error: unknown) => {
  const text = isSparcError(error) ? `${error.code}: ${error.message}` : String((error as Error).stack ?? error);
  process.stderr.write(`${text}\n`);
};

let isStopping = false;
const demo = new Demo({
  dataPath: resolve(data),
  port,
  ...(tcp && { kind: 'tcp' as const }),
  ...(scenario && { siteOf: offlineSite }),
  onServed: ({ name }, pageUrl) => say(`${name.padEnd(9)}  ${pageUrl}`),
  onFailed: (error) => void stop(error),
});

async function stop(failure?: unknown, exitCode = failure === undefined ? 0 : 1): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  if (failure !== undefined) complain(failure);
  await demo.stop();
  process.exit(exitCode);
}

function welcome(): void {
  say(`Cloud      ${demo.cloudUrl}  (name and password in ${relative('', demo.folder.cloud.loginFile)})`);
  const config = relative('', demo.folder.gateway('reception').configFile);
  say('Spare      a reader from its box hangs on bus-1; put it into service with');
  say(`           npx sparc commission open --operator YOU --config ${config}`);
  say('Operator   directs the whole site from any gateway, with');
  say(`           npx sparc site lockdown --key ${relative('', demo.folder.operatorKeyFile)} --config ${config}`);
  say('Ctrl-C stops everything.');
}

process.on('SIGINT', () => void stop());
process.on('SIGTERM', () => void stop());

try {
  say('Starting the demo site …');
  const running = await demo.start();
  const lines = demo.kind === 'pty' ? 'pseudo-terminals (socat)' : 'TCP on loopback (no socat, or --tcp)';
  say(`Buses      ${demo.busCount}, OSDP with Secure Channel over ${lines}`);
  say(`Simulator  ${demo.simulatorUrl}/site`);
  say(
    `Files      ${relative('', demo.folder.path)}  (site.yaml, a folder of each gateway, one of the cloud; remove it to start over)`,
  );
  if (scenario === undefined) welcome();
  else await stop(undefined, (await runOffline(demo, running, { print: say })) ? 0 : 1);
} catch (error) {
  await stop(error);
}
