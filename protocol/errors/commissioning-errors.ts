/** Codes of commissioning: the window, what is done in it, and the keys of readers. */
export const COMMISSIONING_ERRORS = {
  ERR_COMMISSIONING_TOKEN_REFUSED: {
    meaning: 'Opening or closing a commissioning window needs the token that the gateway keeps in its data directory.',
    action: 'Run `sparc commission open` on the gateway, as the user that the gateway runs as.',
  },
  ERR_COMMISSIONING_WINDOW_OPEN: {
    meaning: 'A commissioning window is open already.',
    action: 'Use the code of the open window, or close it with `sparc commission close` first.',
  },
  ERR_COMMISSIONING_WINDOW_CLOSED: {
    meaning: 'No commissioning window is open, or it ended while something ran in it.',
    action: 'Open one on the gateway: `sparc commission open --operator NAME`.',
  },
  ERR_COMMISSIONING_CODE_REFUSED: {
    meaning: 'The code is not that of the open commissioning window.',
    action: 'Enter the code that `sparc commission open` printed. Every wrong code is recorded.',
  },
  ERR_COMMISSIONING_GUESSES_MAX: {
    meaning: 'Too many wrong codes came in a short time; no code is looked at for a minute.',
    action: 'Wait a minute, and find out who guesses: the journal has each attempt.',
  },
  ERR_COMMISSIONING_BUSY: {
    meaning: 'Something else is under way that this would disturb, or too much waits already.',
    action: 'Wait until the task named in the message has ended, or cancel it.',
  },
  ERR_COMMISSIONING_BUS_UNKNOWN: {
    meaning: 'The gateway has no such bus.',
    action: 'Use the id of a bus of the gateway configuration.',
  },
  ERR_COMMISSIONING_DEVICE_UNKNOWN: {
    meaning: 'The policy in force has no such device on a bus of this gateway.',
    action: 'Add the device to the site file and apply it, or correct its id.',
  },
  ERR_COMMISSIONING_TASK_UNKNOWN: {
    meaning: 'No such task runs.',
    action: 'Look at the list of tasks; it may have ended.',
  },
  ERR_COMMISSIONING_NOT_AVAILABLE: {
    meaning: 'This gateway does not offer the operation.',
    action: 'Install a version that does.',
  },
  ERR_COMMISSIONING_CANCELLED: {
    meaning: 'Somebody cancelled the task, or the gateway was stopped.',
    action: 'Start it again if it is still wanted.',
  },
} as const;
