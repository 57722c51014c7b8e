import { Option, type Command } from 'commander';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Output } from './output.js';

/** One run of `sparc`: what its commands share. */
export class Cli {
  exitCode: ExitCode = EXIT.ok;

  constructor(
    readonly program: Command,
    readonly output: Output,
  ) {}
}

export const CONFIG_DEFAULT = './gateway.yaml';

/** Every command that concerns a gateway finds it by its configuration. */
export function configOption(): Option {
  return new Option('--config <file>', 'configuration of the gateway').env('SPARC_CONFIG').default(CONFIG_DEFAULT);
}

export function jsonOption(): Option {
  return new Option('--json', 'for programs: one JSON value on stdout, errors as JSON on stderr');
}

export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}
