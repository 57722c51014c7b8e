/** Codes of reader bundles: firmware and configuration that go to readers by file transfer. */
export const BUNDLE_ERRORS = {
  ERR_BUNDLE_INVALID: {
    meaning: 'A description of a reader bundle has errors; no bundle was made.',
    action: 'Correct the lines named in the message and make the bundle again.',
  },
  ERR_BUNDLE_UNREADABLE: {
    meaning: 'A file that should be a reader bundle, or go into one, cannot be read or written.',
    action: 'Check the path, its permissions and the space on the disk.',
  },
  ERR_BUNDLE_DAMAGED: {
    meaning: 'A reader bundle is not whole: a part is missing, or its content is not what was signed.',
    action: 'Fetch the bundle again from where it came from.',
  },
  ERR_BUNDLE_NOT_AUTHENTIC: {
    meaning: 'A reader bundle is not signed by a key that the gateway trusts.',
    action:
      'Find out who made it. If they are to be trusted, add their public key to `readerBundles.signers` of the gateway configuration.',
  },
  ERR_BUNDLE_UNKNOWN: {
    meaning: 'The gateway has no reader bundle with this id.',
    action: 'Import it with `sparc bundle import FILE`; `sparc bundle list` shows those that are there.',
  },
  ERR_BUNDLE_INCOMPATIBLE: {
    meaning: 'The reader bundle was not made for this device.',
    action: 'Compare vendor, model, hardware and firmware in the message; get the bundle for this device.',
  },
  ERR_BUNDLE_DEVICE_ABSENT: {
    meaning: 'A device that is to get a reader bundle does not answer.',
    action: 'Bring the device online first; then start the transfer again, it goes on where it stopped.',
  },
  ERR_BUNDLE_NOT_TAKEN: {
    meaning: 'A device took a reader bundle whole and does not run what is in it.',
    action: 'Look at the device. The other readers of its door were left as they are.',
  },
  ERR_BUNDLE_DOOR_OUTAGE: {
    meaning:
      'A device that drives a lock or carries an exit request was named for a transfer: its door would be out of order.',
    action: 'Put somebody at the door, then start the transfer again and accept the outage (`--accept-door-outage`).',
  },
  ERR_BUNDLE_HELD_BACK: {
    meaning: 'A device was left as it is, because the transfer to another device of its door failed.',
    action: 'Solve the other one first; then start the transfer again.',
  },
} as const;
