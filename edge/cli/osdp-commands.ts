import type { Cli } from './cli.js';
import { addDiscoverCommand } from './osdp-discover-command.js';
import { addCaptureCommand, addMonitorCommand } from './osdp-monitor-command.js';
import { addReplayCommand } from './osdp-replay-command.js';
import { addSendCommand } from './osdp-send-command.js';

/** Tools that work on a line themselves, without a gateway. */
export function addOsdpCommands(cli: Cli): void {
  const osdp = cli.program
    .command('osdp')
    .description('tools for a line that no gateway drives: `sparc commission` asks a gateway');
  addDiscoverCommand(cli, osdp);
  addMonitorCommand(cli, osdp);
  addSendCommand(cli, osdp);
  addCaptureCommand(cli, osdp);
  addReplayCommand(cli, osdp);
}
