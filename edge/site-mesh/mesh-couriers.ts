import { assertMaker } from '@sparc/protocol/courier';
import type { Clock } from '@sparc/protocol/ports';
import type { MeshNotice } from '../api/index.js';
import { CourierInbox, InboxFolder, type CourierInboxDeps } from '../courier/index.js';
import { nodeCrypto } from '../ledger/index.js';
import type { Membership } from '../membership/index.js';
import { verifySignature } from '../platform/index.js';
import type { Replicator } from '../replica/index.js';
import type { PartExchange } from './part-exchange.js';

export interface MeshCouriersDeps {
  readonly clock: Clock;
  readonly membership: Membership;
  readonly replicator: Pick<Replicator, 'offer'>;
  readonly parts: Pick<PartExchange, 'offer'>;
  /** For the journal. */
  tell(notice: MeshNotice): void;
  onFailure(error: unknown, what: string): void;
}

/** The inbox of a gateway: a courier is a neighbour that somebody carried here. */
export function meshCouriers(deps: MeshCouriersDeps, dataDir: string): CourierInbox {
  const { clock, membership, replicator, parts } = deps;
  const inboxDeps: CourierInboxDeps = {
    clock,
    crypto: nodeCrypto,
    secrets: () => {
      const { present, previous } = membership.siteSecrets();
      return [present, ...previous];
    },
    admit: (opening) => {
      assertMaker(verifySignature, { authority: membership.authority, roster: membership.newest }, opening);
      membership.takeRoster(opening.roster);
    },
    takeBatch: (batch) => replicator.offer(batch),
    takeParts: (contents) => parts.offer(contents),
    onTaken: (taken) => deps.tell({ kind: 'imported', ...taken }),
    onRefused: (courier, { code }) => deps.tell({ kind: 'importRefused', courier, code }),
    onFailure: (error, what) => deps.onFailure(error, what),
  };
  return new CourierInbox(inboxDeps, new InboxFolder(dataDir));
}
