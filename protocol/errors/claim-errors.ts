/** Codes of how a gateway comes to the cloud. */
export const CLAIM_ERRORS = {
  ERR_CLAIM_CODE_MISTYPED: {
    meaning: 'What was given as a claim code is none: a letter is missing, too many or another.',
    action: 'Type it again, letter by letter; spaces and dashes do not matter.',
  },
  ERR_CLAIM_CLOUD_UNTRUSTED: {
    meaning: 'Whoever answers at this address is not the cloud that made the claim code. The code was not shown to it.',
    action: 'Compare the address. If it is right, somebody stands in between: ask who runs the network.',
  },
  ERR_CLAIM_CLOUD_UNREACHED: {
    meaning: 'The cloud did not answer, or not as a cloud does; the message says what happened.',
    action: 'Look at the address, the network and the clock of the gateway, then try again: the code is still good.',
  },
  ERR_CLAIM_CODE_UNKNOWN: {
    meaning: 'No gateway can be claimed by this code.',
    action: 'Look whether it was made by this cloud, and make a new one with `sparc-cloud gateway enrol`.',
  },
  ERR_CLAIM_CODE_EXPIRED: {
    meaning: 'The claim code was good for a day, which is over.',
    action: 'Make a new one with `sparc-cloud gateway enrol`.',
  },
  ERR_CLAIM_CODE_USED: {
    meaning: 'Another gateway was claimed by this code.',
    action:
      'Make a new one with `sparc-cloud gateway enrol`. If nobody of you used it, expel the gateway that did: the audit of the cloud names it.',
  },
  ERR_CLAIM_TOO_FAST: {
    meaning: 'Too many wrong claim codes, or too many renewals of one gateway, came in a short time.',
    action: 'Wait a minute, then try again.',
  },
  ERR_CLAIM_GATEWAY_UNKNOWN: {
    meaning: 'The cloud knows no such gateway at the site, or it was expelled or replaced.',
    action: 'Compare the key with the list of gateways. One that is to come back is enrolled anew, with a new key.',
  },
  ERR_CLAIM_LINK_INVALID: {
    meaning: 'What the cloud gave for the link is damaged, is for another key, or leads to another cloud.',
    action: 'Make a new request at the gateway, and enrol it again.',
  },
} as const;
