/** Codes of the gateway process, its parts and its command line. */
export const GATEWAY_ERRORS = {
  ERR_GATEWAY_PART_FAILED: {
    meaning: 'A part of the gateway (journal, replica or site) ended unexpectedly.',
    action: 'It is restarted by itself; the log holds the reason.',
  },
  ERR_GATEWAY_DATA_IN_USE: {
    meaning: 'Another gateway runs on this data directory.',
    action: 'Stop the other one (`fuser -v DATADIR/gateway.lock` names it), or give this one a directory of its own.',
  },
  ERR_GATEWAY_DOOR_RETIRED: {
    meaning: 'A release came when its door was no longer part of the site, or the gateway was stopping.',
    action: 'None; present the card again if the door is still there.',
  },
  ERR_GATEWAY_ORDER_REFUSED: {
    meaning: 'What a person ordered for a door or the site is forbidden by the present mode, or cannot be recorded.',
    action: 'The message says what stands in the way; end that first, and order again.',
  },
  ERR_GATEWAY_MODE_DAMAGED: {
    meaning: 'The file that keeps lockdown, fire and the orders for doors across restarts is damaged.',
    action: 'The site is in normal mode. Order again what has to stand; that replaces the file.',
  },
  ERR_GATEWAY_INTERNAL: {
    meaning: 'A step of the gateway failed by a defect of its own.',
    action: 'The rest goes on. Report it with the lines of the log around it.',
  },
} as const;
