import type { Command } from 'commander';
import type { DiscoverProgress, FoundDevice, OsdpBus } from '@sparc/firmware-bridges/osdp';
import { createNodeClock, nodeRandom } from '../platform/index.js';
import { examples, jsonOption, type Cli } from './cli.js';
import { foundText } from './commission-texts.js';
import { EXIT } from './exit-codes.js';
import { numbers, ranges } from './option-values.js';
import { addLineOptions, createLine, explained, INATTENTIVE, type LineFlags } from './osdp-line.js';
import { onInterrupt } from './osdp-listen.js';

interface DiscoverFlags extends LineFlags {
  readonly baudRates?: readonly number[];
  readonly addresses?: readonly number[];
}

export function addDiscoverCommand(cli: Cli, osdp: Command): void {
  addLineOptions(osdp.command('discover'))
    .description('search a line for readers, by clear ID at every rate and address; changes nothing')
    .option('--baud-rates <list>', 'such as 9600,115200 (default: every rate; over TCP that of --baud)', numbers)
    .option('--addresses <list>', 'such as 0-15,20 (default: every address)', ranges)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nCtrl-C ends the search and shows what was found. Ends with 1 where two readers have one address.',
    )
    .addHelpText(
      'after',
      examples(
        'sparc osdp discover --serial /dev/ttyUSB0',
        'sparc osdp discover --tcp 192.0.2.7:4001 --baud 9600 --addresses 0-15',
      ),
    )
    .action((flags: DiscoverFlags) => search(cli, flags));
}

async function search(cli: Cli, flags: DiscoverFlags): Promise<void> {
  const { output } = cli;
  const clock = createNodeClock();
  const { discover, OsdpBus } = await import('@sparc/firmware-bridges/osdp');
  const link = await createLine(flags, clock);
  const bus = new OsdpBus({ clock, random: nodeRandom }, { busId: 'line', link, devices: [] });
  const { baudRates, addresses } = flags;
  const stopping = new AbortController();
  const off = onInterrupt(() => stopping.abort());
  let found: readonly FoundDevice[];
  try {
    await opened(bus);
    const options = { signal: stopping.signal, ...(baudRates && { baudRates }), ...(addresses && { addresses }) };
    found = await discover(bus, options, ({ step, progress, found: soFar }: DiscoverProgress) =>
      output.progress(`${Math.floor(progress * 100)} %  ${step}, ${soFar.length} found`, progress),
    );
  } finally {
    off();
    output.progressEnd();
    await bus.stop();
  }
  output.result(found, foundText(found));
  if (found.some(({ conflict }) => conflict)) cli.exitCode = EXIT.checkFailed;
}

/** Starts the bus. Rejects where its line cannot be opened. */
function opened(bus: OsdpBus): Promise<void> {
  return new Promise((resolve, reject) => {
    bus.start({
      ...INATTENTIVE,
      onLink: (_up, error) => (error === undefined ? resolve() : reject(explained(error))),
    });
  });
}
