import type { EventDescription } from './event-description.js';

const NEIGHBOUR = {
  neighbour: 'its public key',
  name: 'its name on the roster',
} as const;

/** Other gateways of the site, and the ledgers that they hold together. */
export const MESH_EVENTS = {
  'mesh.neighbour_found': {
    severity: 'notice',
    meaning: 'A gateway of the site is connected: each has what the other records within moments.',
    detail: NEIGHBOUR,
  },
  'mesh.neighbour_lost': {
    severity: 'warning',
    meaning: 'A gateway of the site that was connected has been away for ten seconds; it is called until it answers.',
    detail: NEIGHBOUR,
  },
  'ledger.forked': {
    severity: 'alarm',
    meaning:
      'An author of the site signed two histories: its disk was set back, its key is in two hands, or entries were altered.',
    detail: {
      author: 'the public key of the author',
      kind: '`altered`: two entries at one place; `setBack`: it goes on from before an end that others hold; `twoLives`: it goes on twice from one place',
      first: 'epoch and sequence of the one head',
      second: 'epoch and sequence of the other',
    },
  },
} as const satisfies Record<string, EventDescription>;
