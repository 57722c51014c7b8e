/** Codes of courier files, which carry ledgers and policy where no network goes. */
export const COURIER_ERRORS = {
  ERR_COURIER_DAMAGED: {
    meaning: 'A file that should be a courier is none, ends early, or was altered since it was made.',
    action: 'Copy it again; if that does not help, make it again with `sparc ledger export --format courier`.',
  },
  ERR_COURIER_OTHER_SITE: {
    meaning: 'The courier is of another site, or does not open with what this gateway, or this cloud, has of the site.',
    action:
      'Compare the sites. For a cloud, its own key belongs into `sparc authority publish --cloud`. If the site secret was rotated while this gateway was away, give it the new one first: `sparc authority enrol` at the authority, `sparc gateway join` here.',
  },
  ERR_COURIER_NO_ROOM: {
    meaning: 'The disk of the gateway has no room for the courier beside what its journal may need.',
    action: 'Free space on the disk, or export less: `sparc ledger export --for` with the heads of this gateway.',
  },
  ERR_COURIER_MAKER_UNKNOWN: {
    meaning: 'Whoever made the courier is neither a gateway of this site nor its authority, or did not sign it.',
    action: 'Take a courier from a gateway that `sparc roster show` names.',
  },
} as const;
