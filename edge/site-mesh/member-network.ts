import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import type { MeshConfig } from '../config/index.js';
import type { Membership } from '../membership/index.js';
import { Libp2pNetwork } from '../mesh/index.js';
import { verifySignature } from '../platform/index.js';
import type { MeshTime } from './time-teller.js';

export interface MemberNetworkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: Signer;
  /** That the signer's key is made from. */
  readonly seed: Uint8Array;
  readonly membership: Membership;
  readonly time: MeshTime;
  /** The own field does not answer. */
  readonly isFieldSilent: () => boolean;
  readonly onLog: (fields: object, message: string) => void;
}

/** Links to whoever the membership names, where the configuration or its roster says that they are. */
export function memberNetwork(deps: MemberNetworkDeps, { listen, discover, peers }: MeshConfig): Libp2pNetwork {
  const { clock, random, signer, seed, membership, time, isFieldSilent, onLog } = deps;
  return new Libp2pNetwork(
    {
      clock,
      random,
      signer,
      verify: verifySignature,
      admits: (neighbour, roster) => membership.admits(neighbour, roster),
      members: () =>
        membership.members().map(({ key, addresses }) => {
          const pinned = peers[key];
          return { key, addresses: pinned ?? addresses, isPinned: pinned !== undefined };
        }),
      roster: () => membership.roster(),
      siteSecrets: () => membership.siteSecrets(),
      time: () => time.own(),
      isFieldSilent,
      uptimeMs: () => time.uptimeMs(),
      onSecretShared: () => membership.forgetPreviousSecrets(),
      onLog,
    },
    { siteId: membership.siteId, seed, listen, discover },
  );
}
