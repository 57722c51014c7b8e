/** Codes of site files and of the policy store. */
export const POLICY_ERRORS = {
  ERR_POLICY_NONE: {
    meaning: 'No readable, authentic policy generation exists.',
    action: 'Apply a site file with `sparc policy apply FILE`. Until then only emergency credentials work.',
  },
} as const;
