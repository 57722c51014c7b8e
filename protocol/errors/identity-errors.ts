/** Codes of who somebody is to the cloud. */
export const IDENTITY_ERRORS = {
  ERR_IDENTITY_REQUEST_INVALID: {
    meaning: 'What came as a request for a certificate is none, was changed, or is of a key that is not P-256.',
    action: 'Make the request again at the gateway.',
  },
} as const;
