import type { EventDescription } from './event-description.js';

/** Of the effects of a directive as well: who finds it there finds what the operator signed. */
const DIRECTIVE = { directive: 'the id of the directive' } as const;

/** What operators with a key direct the whole site to do. */
export const DIRECTIVE_EVENTS = {
  'directive.given': {
    severity: 'notice',
    meaning: 'An operator gave a directive at this gateway; every gateway that hears of it judges it.',
    fields: ['directive'],
    detail: { ...DIRECTIVE, kind: 'what it directs', operator: 'the public key of the operator' },
  },
  'directive.refused': {
    severity: 'warning',
    meaning: 'This gateway does not carry out a directive.',
    fields: ['code'],
    detail: { ...DIRECTIVE, operator: 'the public key of the operator', why: 'in words' },
  },
} as const satisfies Record<string, EventDescription>;
