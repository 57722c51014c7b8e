/** Codes of the OSDP codec and machines. */
export const OSDP_ERRORS = {
  ERR_OSDP_MALFORMED: {
    meaning: 'Bytes that are no valid OSDP frame or payload.',
    action: 'Counted and dropped at the link. If it persists, check cabling, termination and baud rate.',
  },
} as const;
