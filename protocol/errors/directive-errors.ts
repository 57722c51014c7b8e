/** Codes of what operators direct a site to do. */
export const DIRECTIVE_ERRORS = {
  ERR_DIRECTIVE_INVALID: {
    meaning: 'What should be a directive is none, contradicts itself, or was not signed by the operator that it names.',
    action:
      'Sign it again with `sparc … --key FILE` or on the page of a gateway; one that was changed is never carried out.',
  },
  ERR_DIRECTIVE_OTHER_SITE: {
    meaning: 'A directive is for another site than this gateway belongs to.',
    action: 'Give it to a gateway of that site.',
  },
  ERR_DIRECTIVE_EXPIRED: {
    meaning: 'A directive was given, or came to the gateway that had to carry it out, after its end.',
    action: 'Give it again. If it ends at once, compare the clock of the operator with that of the gateway.',
  },
  ERR_DIRECTIVE_OPERATOR_UNKNOWN: {
    meaning: 'The gateway knows of no delegation by the site authority to the operator who signed.',
    action:
      'Delegate the right with `sparc authority delegate`, publish, and bring the file to a gateway. A gateway that hears of it later carries out what waits.',
  },
  ERR_DIRECTIVE_NOT_ENTITLED: {
    meaning: 'The operator had no such right then, or not for everything that the directive is about.',
    action: 'Look at `sparc roster show`; the site authority gives rights with `sparc authority delegate`.',
  },
  ERR_DIRECTIVE_TOO_FAST: {
    meaning: 'An operator gives more directives than a gateway takes of one key.',
    action:
      'Wait: one more is taken every 5 s. Where nobody gives so many, the key is in other hands: `sparc authority withdraw` ends its rights.',
  },
  ERR_DIRECTIVE_VISITORS_MAX: {
    meaning: 'A gateway lets in no more visitors, of one operator or of all: those whose visits end last.',
    action: 'Put people who stay for long into the site file, and let the visitor in again under another id.',
  },
  ERR_DIRECTIVE_VISITOR_UNRECORDED: {
    meaning: 'A visitor is not let in at this gateway, because its journal did not take the record.',
    action: 'Look at the disk. The gateway tries again when it is started; till then another id lets the visitor in.',
  },
  ERR_DIRECTIVE_VISITOR_UNSAVED: {
    meaning: 'A visitor is let in at this gateway, but the disk did not take it.',
    action: 'Look at the disk. Saved with the next visitor; after a restart it is read from the ledgers again.',
  },
  ERR_DIRECTIVE_MEMORY_DAMAGED: {
    meaning: 'The file that says which directives this gateway has carried out is damaged.',
    action:
      'Nothing has to be done: they are carried out anew from the ledgers, and whatever they concern is as it was. Look for the reason on the disk.',
  },
  ERR_DIRECTIVE_UNRECORDED: {
    meaning:
      'A lockdown, revocation or expulsion is in force at the gateway where it was given, whose disk does not take the record of it: other gateways have not heard of it.',
    action:
      'Give it at another gateway as well. The record is written when the disk takes it again, unless the gateway restarts before: look for the reason on its disk.',
  },
  ERR_DIRECTIVE_UNSAVED: {
    meaning:
      'A door command is not carried out, since nobody would know after a restart that it was: it would open twice.',
    action: 'Look for the reason on the disk of the gateway of the door, and give the command again.',
  },
} as const;
