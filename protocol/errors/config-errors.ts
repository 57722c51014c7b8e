/** Codes of the configuration of a gateway, and of the cloud. */
export const CONFIG_ERRORS = {
  ERR_CONFIG_INVALID: {
    meaning: 'A configuration has errors: the file of a gateway, or the file or the variables of the cloud.',
    action: 'Correct the lines named in the message.',
  },
  ERR_CONFIG_UNREADABLE: {
    meaning: 'A configuration file, site file or secret is missing, barred, too large or no text.',
    action: 'Check the path and the permissions named in the message.',
  },
  ERR_CONFIG_SECRET_EXPOSED: {
    meaning: 'Other users of the machine can reach a file that holds a secret.',
    action: 'Run `chmod 600` on it; replace the secret if others may have read it.',
  },
  ERR_CONFIG_SECRET_CORRUPT: {
    meaning: 'A file in the folder of secrets does not hold what it should.',
    action: 'Restore it from a backup. A new one is made where it is missing, but what the old one guarded is lost.',
  },
  ERR_CONFIG_ADDRESS_TAKEN: {
    meaning:
      'A part of the cloud cannot listen where it should: address or port are in use, barred, or not of this machine.',
    action: 'Stop the other program, or choose another address or port by its variable. It is tried again by itself.',
  },
  ERR_CONFIG_BUS_UNKNOWN: {
    meaning: 'A device of the site file hangs on a bus that the gateway configuration does not name.',
    action: 'Add the bus to the gateway configuration, or correct the bus of the device. The other devices go on.',
  },
  ERR_CONFIG_KEY_MISSING: {
    meaning: 'A device must use Secure Channel and no key is held for it.',
    action: 'Set its key in a commissioning window, or bring one in `osdpKeysFile`. The other devices go on.',
  },
} as const;
