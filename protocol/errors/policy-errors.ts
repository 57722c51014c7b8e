/** Codes of site files and of the policy store. */
export const POLICY_ERRORS = {
  ERR_POLICY_NONE: {
    meaning: 'No readable, authentic policy generation exists.',
    action: 'Apply a site file with `sparc policy apply FILE`. Until then only emergency credentials work.',
  },
  ERR_POLICY_INVALID: {
    meaning: 'A site file has errors; nothing of it is in force.',
    action: 'Correct the lines named in the message and apply it again.',
  },
  ERR_POLICY_APPLY_BUSY: {
    meaning: 'Another process is applying a site file to this data directory.',
    action: 'Wait until it has ended, then apply again.',
  },
  ERR_POLICY_WRITE_FAILED: {
    meaning: 'A policy generation could not be written; the old one stays in force.',
    action: 'Check the disk of the data directory: space, health, permissions.',
  },
  ERR_POLICY_CORRUPT: {
    meaning: 'A file of a policy generation is damaged and is not used.',
    action: 'Check the disk of the data directory, then apply the site file again.',
  },
  ERR_POLICY_NOT_AUTHENTIC: {
    meaning: 'A policy generation is not signed by the key that may change who enters, and is not used.',
    action: 'Find out who wrote it, then apply the site file again on this gateway.',
  },
  ERR_POLICY_SCHEMA_VERSION: {
    meaning: 'A policy generation was made by a version of this software with another layout, and is not used.',
    action: 'Apply the site file again.',
  },
  ERR_POLICY_REVISION_ABSENT: {
    meaning: 'The policy revision under which something was decided is no longer kept, or there was none.',
    action:
      'Nothing is wrong. Revisions are kept while there is room for them (LIMITS.md) and this version reads their layout; `sparc decision explain` needs none.',
  },
  ERR_POLICY_UNSIGNED: {
    meaning: 'The authority of the site has signed no policy yet.',
    action: 'Sign the site file: `sparc authority policy sign SITE.yaml --dir FOLDER`.',
  },
  ERR_POLICY_OF_SITE: {
    meaning:
      'The authority of the site signs the policy of its gateways; a site file is not applied on one of them alone.',
    action:
      'Give the file to whoever has the authority: `sparc authority policy sign`, then `sparc authority publish`.',
  },
  ERR_POLICY_REVISION_LAYOUT: {
    meaning:
      'A policy revision of the site was made by a version of this software with another layout, and is not used.',
    action: 'Bring the gateway to the version of the authority; the revision is taken by itself then.',
  },
  ERR_POLICY_REVISION_INVALID: {
    meaning: 'A policy revision of the site is signed, but its parts contradict what a revision is; it is not used.',
    action: 'Sign the site file again with `sparc authority policy sign`, on a version that fits the gateways.',
  },
  ERR_POLICY_PART_ABSENT: {
    meaning:
      'A part of a policy revision is not here yet, or not as it was signed; the revision before stays in force.',
    action:
      'It comes from a neighbour or with a courier file. If none of them brings it, move parts.db away: it is filled again.',
  },
  ERR_POLICY_PARTS_FAILED: {
    meaning: 'The parts of policy revisions cannot be read or written.',
    action: 'Check the disk: space, health, permissions. If parts.db is damaged, move it away: it is filled again.',
  },
  ERR_POLICY_DISK_RESERVE: {
    meaning:
      'The disk is so full that a policy revision of the site would take what is kept for the journal (LIMITS.md); the revision before stays in force.',
    action: 'Make room on the disk of the data directory; the revision is taken by itself then.',
  },
  ERR_POLICY_CALENDAR: {
    meaning: 'An iCalendar file cannot be taken over into a site file.',
    action: 'Correct the calendar at the place that the message names, or write the schedule by hand.',
  },
  ERR_POLICY_DRAFT_ABSENT: {
    meaning: 'The draft of a site has no such object.',
    action: 'Read the list of its kind again: somebody may have removed it.',
  },
  ERR_POLICY_DRAFT_STALE: {
    meaning: 'An object of the draft, or the draft, was changed since it was read; nothing was saved.',
    action: 'Read it again, and make the change on what is there now.',
  },
  ERR_POLICY_REVISION_UNKNOWN: {
    meaning: 'The site has no policy revision with this number. Nothing was signed.',
    action: 'Take the number from the list of its revisions: on the page, or by `sparc-cloud site status`.',
  },
  ERR_POLICY_REVISION_UNSEEN: {
    meaning:
      'The newest revision was signed after the backup that the database was restored from: nobody here knows what publishing would take back. Nothing was signed.',
    action:
      'Bring the draft to what the site is to have, then publish over that revision by its number: `sparc-cloud site publish --over`.',
  },
  ERR_POLICY_IMPORT_UNKNOWN: {
    meaning: 'The site has no import of people with this id.',
    action: 'Take the id from the answer to the table that was sent, and ask at the same site.',
  },
  ERR_POLICY_IMPORTS_MAX: {
    meaning:
      'This site has an import under way already, or the process as many tables or site files as it takes at a time.',
    action: 'Wait until that import is over, then send yours again.',
  },
} as const;
