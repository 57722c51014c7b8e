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
    meaning:
      'What a person ordered is forbidden by the present mode, names what the site does not have, or cannot be recorded.',
    action:
      'The message says what stands in the way; end that or correct the name, and order again. `sparc revoke --unlisted` takes a name that the policy lacks.',
  },
  ERR_GATEWAY_TRIAL_UNKNOWN: {
    meaning:
      'Somebody asks what would be decided at an access point that this gateway does not have, or of a credential that its policy does not have, or has no card of.',
    action: 'Correct the name, or ask the gateway that has the access point.',
  },
  ERR_GATEWAY_KEY_REQUIRED: {
    meaning: 'In a site of several gateways only an operator with a key lowers what was raised for the site.',
    action:
      'End it with a key, at any gateway: `sparc site release --all --key FILE`, or `--raise ID` as `sparc mode show` names it.',
  },
  ERR_GATEWAY_MODE_DAMAGED: {
    meaning: 'The file that keeps lockdown, fire and the orders for doors across restarts is damaged.',
    action:
      'Lockdown, fire and threat level are taken from the journal by themselves. Order again what has to stand at single doors.',
  },
  ERR_GATEWAY_MODE_UNSAVED: {
    meaning: 'An order is in force, but the disk did not take it.',
    action: 'It is tried again by itself. Until the same order succeeds, a restart would forget it: look at the disk.',
  },
  ERR_GATEWAY_CLOCK_DAMAGED: {
    meaning: 'The file that keeps what is known of the clock across restarts is damaged.',
    action:
      'Look at the time of the machine (`date`). A time source confirms it by itself; without one, say that it is right with `sparc clock accept`.',
  },
  ERR_GATEWAY_ACT_DAMAGED: {
    meaning: 'A note of what somebody did by the command line is no such note.',
    action: 'Find out who wrote to the folder `acts` of the data directory; the note is removed.',
  },
  ERR_GATEWAY_ACT_UNREADABLE: {
    meaning: 'Notes of what somebody did by the command line cannot be read by the gateway.',
    action:
      'Let the account of the gateway read the folder `acts` of its data directory (`ls -l`); they are recorded by themselves then. Use the command line under that account.',
  },
  ERR_GATEWAY_REVOCATIONS_DAMAGED: {
    meaning: 'The list of revocations in the data directory is damaged, lacks numbers, or others can write to it.',
    action:
      'What the journal has of it is taken up by itself. Compare `sparc revocations` with what you know, and revoke again what is missing.',
  },
  ERR_GATEWAY_VISITORS_DAMAGED: {
    meaning: 'The file that says which visitors operators let in is damaged, or others can write to it.',
    action: 'Let those in anew who are still expected: `sparc visitor add`. Look for the reason on the disk.',
  },
  ERR_GATEWAY_LINKAGE_DAMAGED: {
    meaning:
      'The file that says what was done for linkage rules of other gateways is damaged, or others can write to it.',
    action:
      'What rules asked for before the start is not made up for. Look at the outputs and doors that rules of other gateways drive, and for the reason on the disk.',
  },
  ERR_GATEWAY_REVOCATION_UNSAVED: {
    meaning: 'A revocation is in force, but the disk did not take it.',
    action:
      'It is tried again by itself. Until `sparc revoke` succeeds for the same credential, a restart would forget it.',
  },
  ERR_GATEWAY_INTERNAL: {
    meaning: 'A step of the gateway failed by a defect of its own.',
    action: 'The rest goes on. Report it with the lines of the log around it.',
  },
} as const;
