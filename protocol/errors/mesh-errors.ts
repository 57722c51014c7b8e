/** Codes of the mesh of a site. */
export const MESH_ERRORS = {
  ERR_MESH_ROSTER_INVALID: {
    meaning: 'A roster is not signed by the authority of this site, or is one of another site.',
    action: 'Take the roster from whoever holds the key of the site authority.',
  },
} as const;
