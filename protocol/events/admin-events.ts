import type { EventDescription } from './event-description.js';

/** An act of the command line, which works beside the gateway and whether it runs or not. */
const ACT = {
  by: 'who, as they said; else their account',
  account: 'account of the operating system',
  at: 'when it began, in UTC',
  outcome: '`done`, `failed` with a code, or `unknown` where it was cut off',
  act: 'its number: one that is recorded twice is the same act',
} as const;

/** What people did to the gateway from outside of it. */
export const ADMIN_EVENTS = {
  'policy.applied': {
    severity: 'notice',
    meaning: 'A named person gave the gateway a site file.',
    fields: ['code?'],
    detail: {
      ...ACT,
      'revision?': 'the revision it is',
      'changes?': 'what it adds, removes and changes, by list of the site file',
    },
  },
  'bundle.imported': {
    severity: 'notice',
    meaning: 'A named person gave the gateway a bundle for readers.',
    fields: ['code?'],
    detail: { ...ACT, 'bundle?': 'id of the bundle' },
  },
  'escrow.copied': {
    severity: 'notice',
    meaning: 'A named person took a copy of the escrow bundle.',
    fields: ['code?'],
    detail: { ...ACT, 'digest?': 'SHA-256 of the bundle' },
  },
  'keys.restored': {
    severity: 'warning',
    meaning: 'A named person gave the gateway the keys of another from its escrow bundle.',
    fields: ['code?'],
    detail: { ...ACT, 'digest?': 'SHA-256 of the bundle', 'devices?': 'how many devices it has keys of' },
  },
  'ledger.exported': {
    severity: 'notice',
    meaning: 'A named person took a copy of the journal, which says who went where.',
    fields: ['code?'],
    detail: {
      ...ACT,
      'format?': '`lines`, `batches` or `courier`',
      'upTo?': 'epoch and sequence of the newest entry in it',
    },
  },
  'ledger.brought': {
    severity: 'notice',
    meaning: 'A named person brought a courier file: ledgers of gateways and policy, from where no network goes.',
    fields: ['code?'],
    detail: {
      ...ACT,
      'courier?': 'its number in the inbox',
      'maker?': 'the public key of the gateway or authority that made it',
    },
  },
  'site.joined': {
    severity: 'warning',
    meaning: 'A named person made the gateway a member of a site, with what the authority of the site gave for it.',
    fields: ['code?'],
    detail: {
      ...ACT,
      'site?': 'id of the site',
      'authority?': 'public key of its authority, in hex',
      'epoch?': 'of the roster that came with it',
    },
  },
  'config.changed': {
    severity: 'warning',
    meaning:
      'A file that people write for the gateway is another than at its last start; who did that, it does not know.',
    detail: {
      file: '`configuration`, or `osdpKeys` that people brought',
      from: 'SHA-256 of what it was',
      to: 'SHA-256 of what it is',
      modifiedAt: 'when the file was changed',
    },
  },
  'audit.unreadable': {
    severity: 'alarm',
    meaning: 'What somebody did outside of the gateway was noted, and cannot be read.',
    fields: ['code'],
    detail: { 'act?': 'its number, by the name of the note; absent: none of the notes can be read' },
  },
} as const satisfies Record<string, EventDescription>;
