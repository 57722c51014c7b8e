import type { Carrier } from '@sparc/protocol/cloud-link';
import { sameBytes, type Batch } from '@sparc/protocol/ledger';
import type { Clock, CloudLink, Signer } from '@sparc/protocol/ports';
import type { CloudView } from '../api/index.js';
import { verifySignature } from '../platform/index.js';
import type { OwnLog, ReadableLogs } from '../replica/index.js';
import { Uplink, type UplinkDeps } from '../uplink/index.js';
import { missingCount } from './own-copies.js';
import { troubleOf } from './trouble.js';

/** How a gateway reaches the cloud itself. */
export interface CloudAccess {
  readonly tenant: string;
  /** The key by which the cloud signs for the site. */
  readonly cloudKey: Uint8Array;
  /** `signer`: of the gateway. */
  readonly link: (carrier: Carrier, signer: Signer) => CloudLink;
  /** What an operator directs through the cloud. */
  readonly direct: UplinkDeps['direct'];
  /** What somebody asks there. */
  readonly tryOut: UplinkDeps['tryOut'];
}

export interface CloudUplinkDeps {
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly signer: Signer;
  readonly siteId: string;
  readonly own: OwnLog;
  /** As far as they count, the own one among them. */
  readonly logs: ReadableLogs;
  readonly take: (batch: Batch) => void;
  readonly onWord: UplinkDeps['onWord'];
  readonly onReach: (isReached: boolean) => void;
}

/** Carries what the gateway has of all logs of its site. */
export function cloudUplink({ tenant, cloudKey, link, direct, tryOut }: CloudAccess, deps: CloudUplinkDeps): Uplink {
  const { log, siteId, own, onReach } = deps;
  return new Uplink({
    ...deps,
    verify: verifySignature,
    link: link({ tenant, site: siteId, gateway: own.author }, deps.signer),
    cloudKey,
    direct,
    tryOut,
    onTurn: ({ isConnected, why }) => {
      if (isConnected) log.info({}, 'the cloud is reached');
      else log.warn({ why }, 'the cloud is not reached');
      onReach(isConnected);
    },
    onFailure: (error, what) => log.warn({ trouble: troubleOf(error) }, what),
  });
}

/** What is known of the cloud, and what of the own log it has. */
export function cloudView(uplink: Uplink, own: OwnLog): CloudView {
  // What it has at a place of ours and we do not know is no copy.
  const copies = uplink.copiesOf(own.author).filter(({ epoch, sequence, hash }) => {
    const ours = own.hashAt(epoch, sequence);
    return ours !== undefined && sameBytes(ours, hash);
  });
  return { ...uplink.state, ownMissingCount: missingCount(own.log(), copies) };
}
