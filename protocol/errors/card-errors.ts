/** Codes of card formats. */
export const CARD_ERRORS = {
  ERR_CARD_FORMAT_UNKNOWN: {
    meaning: 'A card format is named that is not in the registry.',
    action: 'Use an id of the registry of card formats; the message names it.',
  },
  ERR_CARD_FIELD_RANGE: {
    meaning: 'A facility code, card number or issue is missing, not of the format, or too large for it.',
    action: 'Correct the identifier; the message names the field and its range.',
  },
} as const;
