import { once } from 'node:events';
import { pino } from 'pino';
import { errorFields } from '@sparc/protocol/errors';
import { nodeClock, nodeRandom } from '../platform/index.js';
import type { Cli } from './program.js';

export function addServeCommand(cli: Cli): void {
  cli.program
    .command('serve')
    .description('run the cloud in the foreground until SIGINT or SIGTERM')
    .option('--roles <names>', 'what this process does, with commas', 'api,ingest,publisher,scheduler')
    .action(async ({ roles }: { readonly roles: string }) => {
      // Loaded here: no other command needs it.
      const { createCloudProcess, readRoles } = await import('../main/index.js');
      const config = cli.config();
      const log = pino({ level: config.LOG_LEVEL, base: null, serializers: { err: errorFields } }, cli.err);
      const cloud = await createCloudProcess(config, readRoles(roles), { clock: nodeClock, random: nodeRandom, log });
      const ended = once(cli.ended, 'abort');
      void cloud.start().then(() => {
        if (!cli.ended.aborted) cli.result({ url: cloud.url }, `The cloud runs: ${cloud.url}`);
      });
      if (!cli.ended.aborted) await ended;
      await cloud.stop();
    });
}
