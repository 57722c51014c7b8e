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
  'mesh.gateway_expelled': {
    severity: 'alarm',
    meaning:
      'The authority of the site expelled a gateway: nobody speaks to it again, and of its ledger counts what the authority attested.',
    detail: { ...NEIGHBOUR, epoch: 'of the roster that says so' },
  },
  'mesh.expulsion_directed': {
    severity: 'alarm',
    meaning:
      'An operator expelled a gateway in the stead of the authority: nobody speaks to it again, and of its ledger counts what the operator attested.',
    detail: { gateway: 'the public key of the gateway', by: 'the operator', directive: 'the id of the directive' },
  },
  'mesh.authority_refused': {
    severity: 'alarm',
    meaning:
      'An entry of the authority of the site could not be taken; what the last good one of its kind says stays in force.',
    fields: ['code'],
    detail: { kind: 'of the entry', entry: 'its epoch and sequence' },
  },
  'mesh.cloud_refused': {
    severity: 'alarm',
    meaning:
      'What came over the link as messages of the cloud is not signed by it, or does not prove itself: nothing of it counts. It is told at once, and then once an hour as long as it goes on.',
    fields: ['code'],
    detail: { messages: 'how many, since it was told last' },
  },
  'mesh.bus_unclaimed': {
    severity: 'warning',
    meaning:
      'The policy has doors of an area on a bus that no gateway is known to have; until one has it, who is in the area is not known.',
    fields: ['busId'],
  },
  'mesh.bus_contested': {
    severity: 'alarm',
    meaning:
      'Several gateways have a bus of this id: each would serve its doors. One of them is to be expelled or changed.',
    fields: ['busId'],
    detail: { gateways: 'their public keys' },
  },
  'ledger.forked': {
    severity: 'alarm',
    meaning:
      'The site process found two histories that an author of the site signed: its disk was set back, its key is in two hands, or entries were altered. That the author signed both heads was checked once more; that they contradict each other shows in the ledgers alone.',
    detail: {
      author: 'the public key of the author',
      kind: '`altered`: two entries at one place; `setBack`: it goes on from before an end that others hold; `twoLives`: it goes on twice from one place',
      first: 'epoch and sequence of the one head',
      second: 'epoch and sequence of the other',
    },
  },
  'ledger.replica_full': {
    severity: 'alarm',
    meaning:
      'No more is taken of the ledger of another gateway: what is here stays, what it records from now on is on one gateway less.',
    detail: {
      author: 'the public key of its author',
      limit:
        '`author`: size of this ledger; `epochs`: starts of its author; `all`: size of all ledgers together; `disk`: free space that is left to the own journal; `write`: it could not be written, and is tried again',
    },
  },
  'ledger.replicas_lost': {
    severity: 'alarm',
    meaning:
      'The database with the ledgers of other gateways was damaged and is set aside; a new one is filled from the neighbours.',
    fields: ['code'],
    detail: { movedTo: 'file in the data directory, kept as evidence' },
  },
  'ledger.imported': {
    severity: 'notice',
    meaning: 'What a courier file carried was verified and is on disk, as if a neighbour had sent it.',
    detail: {
      courier: 'its number in the inbox',
      maker: 'the public key of the gateway or authority that made it',
      entries: 'how many entries of ledgers were new',
      parts: 'how many parts of a policy revision were new',
      detached: 'how many batches follow on entries that are neither here nor in it',
    },
  },
  'ledger.import_refused': {
    severity: 'warning',
    meaning: 'A courier file was not taken to its end; what came before, and proves itself, is kept.',
    fields: ['code'],
    detail: { courier: 'its number in the inbox' },
  },
} as const satisfies Record<string, EventDescription>;
