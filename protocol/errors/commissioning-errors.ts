/** Codes of commissioning: the window, what is done in it, the keys of readers and their escrow. */
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
  ERR_COMMISSIONING_CANCELLED: {
    meaning: 'Somebody cancelled the task, or the gateway was stopped.',
    action: 'Start it again if it is still wanted.',
  },
  ERR_COMMISSIONING_DEVICE_CLEAR: {
    meaning: 'The site file says that the device works in clear: it has no key.',
    action: 'Say `secureChannel: required` in the site file and apply it, then set the key.',
  },
  ERR_COMMISSIONING_DEVICE_SILENT: {
    meaning: 'The device is not online, and nothing says that its key is lost.',
    action: 'Check its power, its cable and its address; try again when it is online.',
  },
  ERR_COMMISSIONING_RATE_UNKNOWN: {
    meaning:
      'The gateway does not know how fast the line behind a TCP converter is, and COMSET would name a wrong speed.',
    action:
      'Say `tcp.baudRate` of the bus in the gateway configuration, as the converter is set, and start the gateway.',
  },
  ERR_COMMISSIONING_KEYS_DAMAGED: {
    meaning: 'The file of the keys that the gateway gave to its devices is damaged, or not from this gateway.',
    action: 'Restore it from a backup together with `secrets`, or restore an escrow bundle: `sparc site restore`.',
  },
  ERR_COMMISSIONING_STORE_FAILED: {
    meaning: 'A key, or the speed of a bus, could not be written to the data directory. Nothing was sent to a device.',
    action: 'Check the disk of the data directory: space, health, permissions.',
  },
  ERR_ESCROW_KEY_FILE: {
    meaning: 'The file of a site recovery key cannot be made or read, or holds no such key.',
    action: 'Check the path; `sparc site recovery-key --out FILE` makes a new pair in a file that is not there yet.',
  },
  ERR_ESCROW_WRITE_FAILED: {
    meaning: 'The escrow bundle could not be written. No new key was sent to a device.',
    action: 'Check the disk and the share that `escrow.path` names, then set the key again.',
  },
  ERR_ESCROW_NONE: {
    meaning: 'This gateway has written no escrow bundle.',
    action: 'Name the recovery key in `escrow.recoveryKey` of the gateway configuration and start the gateway.',
  },
  ERR_ESCROW_FOREIGN: {
    meaning: 'The file is no escrow bundle, is one of another version, or belongs to another site.',
    action: 'Find the newest bundle of this site: `escrow.path` of the lost gateway says where it wrote them.',
  },
  ERR_ESCROW_KEY_WRONG: {
    meaning: 'The escrow bundle was sealed for another recovery key.',
    action: 'Use the private key that belongs to the public key in the message.',
  },
  ERR_ESCROW_DAMAGED: {
    meaning: 'The escrow bundle was changed or cut; nothing of it was used.',
    action: 'Use another copy of it; the journal of the lost gateway has its digest (`escrow.written`).',
  },
  ERR_ESCROW_KEYS_PRESENT: {
    meaning: 'The data directory holds keys already; a restore would replace them.',
    action: 'Restore onto a fresh data directory.',
  },
} as const;
