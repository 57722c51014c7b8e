/** Codes of the `sparc` command. */
export const CLI_ERRORS = {
  ERR_CLI_USAGE: {
    meaning: 'A command, option or value is unknown, missing or wrong.',
    action: 'Ask the command itself: it knows `--help`.',
  },
  ERR_CLI_SIMULATOR_ABSENT: {
    meaning: 'The simulator is not installed, or not built.',
    action: 'Run `npm ci` in a checkout of the whole project; a gateway is often installed without the simulator.',
  },
  ERR_CLI_GATEWAY_UNREACHABLE: {
    meaning: 'The gateway of this data directory does not run, or does not answer.',
    action:
      'Start it, or name its configuration by `--config`; if it runs, see its log for why its API does not listen.',
  },
  ERR_CLI_READ_FAILED: {
    meaning: 'A file could not be read.',
    action: 'Check the path and the permissions named in the message.',
  },
  ERR_CLI_WRITE_FAILED: {
    meaning: 'A file could not be written.',
    action: 'Check the path, the permissions and the space named in the message.',
  },
  ERR_CLI_ACT_UNRECORDED: {
    meaning: 'What was ordered could not be noted for the journal, and was not done.',
    action:
      'Check space and permissions of the data directory; acts that wait there are recorded once the gateway runs.',
  },
  ERR_CLI_INTERNAL: {
    meaning: 'The command failed by a defect of its own.',
    action: 'Report it with the message, and the trace that `SPARC_TRACE=1` adds.',
  },
} as const;
