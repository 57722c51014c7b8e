/** Codes of site authorities that are kept in the cloud. */
export const AUTHORITY_ERRORS = {
  ERR_AUTHORITY_SITE_INVALID: {
    meaning: 'What is to name a site is no id, or what is to be the key of its authority is no key.',
    action:
      'Name it by up to 64 of a-z, 0-9, dot, dash and underscore; a letter or a digit comes first. `sparc roster show` prints the key.',
  },
  ERR_AUTHORITY_SITE_PRESENT: {
    meaning: 'The tenant has a site with this id, and it has an authority.',
    action: 'Name the new site otherwise.',
  },
  ERR_AUTHORITY_ELSEWHERE: {
    meaning:
      'The authority of the site is kept by its owner: the cloud has its public key only, and signs nothing in its stead.',
    action:
      'The owner does it with the folder of the authority (`sparc authority`, `sparc roster expel`); what that says then comes by `sparc authority publish --cloud` and `sparc-cloud authority import`, or by any gateway of the site.',
  },
  ERR_AUTHORITY_KEY_ABSENT: {
    meaning: 'The key of a site authority is not where this process looks for it.',
    action:
      'Give every process the same `AUTHORITY_KEYS_DIR`, and the same token if one is used; bring back the file from its own backup.',
  },
  ERR_AUTHORITY_TOKEN_ABSENT: {
    meaning: 'The token with the keys of site authorities is not there: nothing is signed for the sites of this cloud.',
    action:
      'Plug it in. Else check `PKCS11_MODULE` and `PKCS11_TOKEN`, and that `pkcs11js` is installed, which takes a compiler.',
  },
  ERR_AUTHORITY_TOKEN_PIN: {
    meaning:
      'The token with the keys of site authorities refuses the PIN. Nothing is signed, and the PIN is not tried again.',
    action: 'Correct `PKCS11_PIN` and start the process anew; some wrong ones lock a token.',
  },
  ERR_AUTHORITY_TOKEN_FAILED: {
    meaning: 'The token with the keys of site authorities did not do what it was asked, and nothing was signed.',
    action: 'The message has what its module answered. The token has to make and use Ed25519 keys (CKM_EDDSA).',
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
