/** Codes of the gateway configuration file. */
export const CONFIG_ERRORS = {
  ERR_CONFIG_INVALID: {
    meaning: 'The gateway configuration file has errors.',
    action: 'Correct the lines named in the message.',
  },
} as const;
