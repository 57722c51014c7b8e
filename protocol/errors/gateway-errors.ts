/** Codes of the gateway process, its parts and its command line. */
export const GATEWAY_ERRORS = {
  ERR_GATEWAY_PART_FAILED: {
    meaning: 'A part of the gateway (journal, replica or site) ended unexpectedly.',
    action: 'It is restarted by itself; the log holds the reason.',
  },
} as const;
