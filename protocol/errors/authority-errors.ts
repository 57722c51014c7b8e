/** Codes of site authorities that are kept in the cloud. */
export const AUTHORITY_ERRORS = {
  ERR_AUTHORITY_SITE_INVALID: {
    meaning: 'What is to name a site is no id.',
    action: 'Name it by up to 64 of a-z, 0-9, dot, dash and underscore; a letter or a digit comes first.',
  },
  ERR_AUTHORITY_SITE_PRESENT: {
    meaning: 'The tenant has a site with this id, and it has an authority.',
    action: 'Name the new site otherwise.',
  },
  ERR_AUTHORITY_ELSEWHERE: {
    meaning:
      'The authority of the site is kept by its owner: the cloud has its public key only, and signs nothing in its stead.',
    action:
      'Do it with the folder of the authority (`sparc authority`), and carry what it says to a gateway of the site.',
  },
  ERR_AUTHORITY_KEY_ABSENT: {
    meaning: 'The key of a site authority is not where this process looks for it.',
    action: 'Give every process the same `AUTHORITY_KEYS_DIR`; bring back the file from its own backup.',
  },
  ERR_AUTHORITY_RESTORED: {
    meaning:
      'The database was restored from a backup, and what the authority of the site has said since the backup is not known yet: nothing is signed.',
    action:
      'Wait until a gateway of the site has a link: it brings what it knows. If none is left, say so: `sparc-cloud authority resume`.',
  },
  ERR_AUTHORITY_GATEWAY_ELSEWHERE: {
    meaning: 'A gateway that is to be enrolled has a place in another site already.',
    action: 'Expel it there and give it a new key, or enrol another one.',
  },
} as const;
