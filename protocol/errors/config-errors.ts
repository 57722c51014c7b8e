/** Codes of the gateway configuration file. */
export const CONFIG_ERRORS = {
  ERR_CONFIG_INVALID: {
    meaning: 'The gateway configuration file has errors.',
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
} as const;
