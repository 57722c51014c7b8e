/** Codes of byte links and OSDP buses. */
export const BUS_ERRORS = {
  ERR_BUS_LINK_DOWN: {
    meaning: 'The byte link of a bus is not open.',
    action: 'It is reopened by itself; see the reason beside it.',
  },
} as const;
