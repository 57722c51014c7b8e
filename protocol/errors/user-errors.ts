/** Codes of the people who use the cloud. */
export const USER_ERRORS = {
  ERR_USER_NAME_TAKEN: {
    meaning: 'Somebody logs in by this name already, in this tenant or another.',
    action: 'Choose another name; an address of mail is unique.',
  },
  ERR_USER_LAST_ADMINISTRATOR: {
    meaning: 'Nobody else could manage the tenant: this is the last administrator who can log in.',
    action: 'Make somebody else an administrator before.',
  },
  ERR_USER_UNKNOWN: {
    meaning: 'The tenant has no user with this id.',
    action: 'See the list of users.',
  },
} as const;
