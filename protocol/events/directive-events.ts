import type { EventDescription } from './event-description.js';

const DIRECTIVE = { directive: 'the id of the directive' } as const;

/** What operators with a key direct the whole site to do. */
export const DIRECTIVE_EVENTS = {
  'directive.given': {
    severity: 'notice',
    meaning: 'An operator gave a directive at this gateway; every gateway that hears of it judges it.',
    fields: ['directive'],
    detail: {
      ...DIRECTIVE,
      kind: 'what it directs',
      operator: 'the public key of the operator',
      'onBehalfOf?': 'the user for whom the operator, a service, or the authority gave it',
    },
  },
  'directive.applied': {
    severity: 'info',
    meaning: 'A directive is in force at this gateway, and changed nothing: what it is about was so already.',
    detail: { ...DIRECTIVE, kind: 'what it directs', by: 'the operator' },
  },
  'directive.refused': {
    severity: 'warning',
    meaning: 'This gateway does not carry out a directive.',
    fields: ['code'],
    detail: {
      'directive?': 'the id of the directive; absent where nobody is known to have signed it',
      'operator?': 'the public key of the operator; absent likewise',
      why: 'in words',
    },
  },
} as const satisfies Record<string, EventDescription>;
