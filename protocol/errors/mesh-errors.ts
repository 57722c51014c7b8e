/** Codes of the mesh of a site. */
export const MESH_ERRORS = {
  ERR_MESH_ROSTER_INVALID: {
    meaning: 'A roster is not signed by the authority of this site, is one of another site, or contradicts itself.',
    action: 'Take the roster from whoever holds the key of the site authority.',
  },
  ERR_MESH_MEMBERSHIP_DAMAGED: {
    meaning: 'What makes the gateway a member of its site (authority, roster, site secret) is incomplete or damaged.',
    action:
      'Join it again: `sparc gateway request` here, `sparc authority enrol` at the authority, `sparc gateway join` here. Doors are not concerned.',
  },
} as const;
