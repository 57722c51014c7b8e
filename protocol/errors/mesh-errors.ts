/** Codes of the mesh of a site. */
export const MESH_ERRORS = {
  ERR_MESH_ROSTER_INVALID: {
    meaning: 'A roster is not signed by the authority of this site, is one of another site, or contradicts itself.',
    action: 'Take the roster from whoever holds the key of the site authority.',
  },
  ERR_MESH_ROSTER_SET_BACK: {
    meaning:
      'A newer roster no longer names a gateway that was expelled: the site authority was restored from a backup.',
    action:
      'Expel the gateway that the message names again with `sparc roster expel`, and publish. A backup that does not know it enrols it first.',
  },
  ERR_MESH_REQUEST_INVALID: {
    meaning: 'A file that should be the request of a gateway to be enrolled is none, or was changed.',
    action: 'Make it again at the gateway with `sparc gateway request`.',
  },
  ERR_MESH_ADMISSION_INVALID: {
    meaning: 'A file that should admit this gateway to a site is none, was changed, or is for another gateway.',
    action: 'Take the file that `sparc authority enrol` wrote for the request of this gateway.',
  },
  ERR_MESH_OTHER_SITE: {
    meaning: 'The gateway, or the policy that it enforces, belongs to another site or another authority.',
    action: 'Compare the sites in the message. A gateway that is really to move begins with a fresh data directory.',
  },
  ERR_MESH_NOT_A_MEMBER: {
    meaning: 'The gateway has joined no site.',
    action:
      'Enrol it: `sparc gateway request` here, `sparc authority enrol` at the authority, `sparc gateway join` here.',
  },
  ERR_MESH_MEMBER_UNKNOWN: {
    meaning: 'No member of the site has this key.',
    action: 'Take the whole key, 64 hexadecimal digits, from `sparc roster show` or `sparc mesh status`.',
  },
  ERR_MESH_AUTHORITY_PRESENT: {
    meaning: 'The folder holds a site authority already; another one would replace its key.',
    action: 'Use a fresh folder for another site.',
  },
  ERR_MESH_AUTHORITY_DAMAGED: {
    meaning: 'The folder of a site authority is missing, incomplete or damaged; nothing was signed.',
    action: 'Check the path; if it is right, restore the folder from its backup.',
  },
  ERR_MESH_AUTHORITY_IN_USE: {
    meaning: 'Another command works on the folder of the site authority.',
    action: 'Wait until it has ended, then try again.',
  },
  ERR_MESH_AUTHORITY_CLOCK: {
    meaning:
      'The clock of this machine is behind what the site authority signed last; gateways would take its policy for stale.',
    action:
      'Set the clock. If it is right, and was ahead when the authority signed last, say so with `--despite-clock`.',
  },
  ERR_MESH_MEMBERS_MAX: {
    meaning: 'A site has as many gateways as it may have.',
    action: 'Make a second site, or take gateways out first.',
  },
  ERR_MESH_EXPULSION_UNSAVED: {
    meaning: 'A gateway that an operator expelled is out, but the disk did not take it.',
    action: 'Look at the disk. After a restart it is carried out again, once the ledgers were read.',
  },
  ERR_MESH_EXPELLED: {
    meaning: 'The gateway was expelled from the site; its key does not come back onto the roster.',
    action: 'Begin with a fresh data directory: `sparc gateway request` makes a new key there.',
  },
  ERR_MESH_SECRET_INVALID: {
    meaning:
      'A site secret that the authority sealed to this gateway does not open with its key; the one before it counts.',
    action: 'Join the gateway again: `sparc gateway request`, `sparc authority enrol`, `sparc gateway join`.',
  },
  ERR_MESH_HEAD_INVALID: {
    meaning: 'What should attest how far the ledger of an expelled gateway counts is no signed head of it.',
    action: 'Take the heads from `sparc mesh heads` of a gateway that is trusted.',
  },
  ERR_MESH_DELEGATION_INVALID: {
    meaning: 'What should be delegated to an operator is incomplete or contradicts itself; nothing was signed.',
    action: 'Correct what the message names: key, name, rights or end.',
  },
  ERR_MESH_MEMBERSHIP_DAMAGED: {
    meaning: 'What makes the gateway a member of its site (authority, roster, site secret) is incomplete or damaged.',
    action:
      'Join it again: `sparc gateway request` here, `sparc authority enrol` at the authority, `sparc gateway join` here. Doors are not concerned.',
  },
  ERR_MESH_START_FAILED: {
    meaning: 'The mesh of the gateway cannot start, mostly because something else has its address.',
    action: 'Correct `mesh.listen` of the configuration, or end what has the address; it is tried again by itself.',
  },
} as const;
