import { join } from 'node:path';
import { DirectiveFile } from '@sparc/edge/directives';
import { Field } from '@sparc/edge/field';
import { FollowedReplicas, HeardReader } from '@sparc/edge/heard';
import { nodeCrypto } from '@sparc/edge/ledger';
import { createNodeClock, nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import { REPLICA_FILE } from '@sparc/edge/replica';
import { RevocationFile } from '@sparc/edge/revocation';
import { FieldHints } from '@sparc/edge/site-mesh';
import { ModeFile } from '@sparc/edge/site-mode';
import type { AppendedEntry } from '@sparc/protocol/ports';
import { openRoster } from '@sparc/protocol/roster';
import { MemoryFieldBus } from './memory-field-bus.js';
import { MeshNode } from './mesh-node.js';
import type { MeshSite, TestMember } from './mesh-site.js';

/**
 * A gateway as far as directives go, in one thread: its journal, network and replicas, the reader of these, and the field
 * with its files; all of them real, but for the devices on its buses, of which it has none.
 */
export class DirectedNode {
  private constructor(
    readonly mesh: MeshNode,
    readonly field: Field,
    private readonly hints: FieldHints,
    private readonly replicas: FollowedReplicas,
  ) {}

  /** `onRecord`: what the field recorded is on disk. */
  static async start(
    site: MeshSite,
    member: TestMember,
    folder: string,
    onRecord: (entry: AppendedEntry) => void,
  ): Promise<DirectedNode> {
    const clock = createNodeClock();
    const fail = (what: string) => (fields: object) => {
      throw new Error(`${what} ${JSON.stringify(fields)}`);
    };
    const log = { info: () => undefined, warn: fail('warning'), error: fail('error') };
    const mesh = await MeshNode.start(site, member, folder, { onStored: () => hints.stored() });
    const field = new Field(
      {
        clock,
        fieldBus: new MemoryFieldBus(clock),
        journal: mesh.journal,
        log,
        random: nodeRandom,
        isInMesh: true,
        modeStore: new ModeFile(folder),
        revocationStore: new RevocationFile(folder),
        directives: {
          site: site.siteId,
          authority: toHex(site.authority),
          verify: verifySignature,
          store: new DirectiveFile(folder),
          expel: () => {
            throw new Error('nobody is expelled here');
          },
        },
      },
      { onRecord },
    );
    const replicas = new FollowedReplicas(join(folder, REPLICA_FILE));
    const reader = new HeardReader({
      clock,
      crypto: nodeCrypto,
      logs: replicas,
      self: member.key,
      ownLog: () => [],
      authority: site.authority,
      roster: openRoster(verifySignature, site.authority, site.roster),
      expulsions: [],
      onRefused: (_author, error) => {
        throw error;
      },
    });
    const hints = new FieldHints({
      clock,
      heard: () => site.members.map(({ key }) => key).filter((key) => key !== member.key),
      onReach: (keys) => field.reaches(keys),
      onStored: () => {
        replicas.look();
        for (let isMore = true; isMore;) {
          const piece = reader.read();
          if (piece.heard !== undefined) field.heard(piece.heard);
          isMore = piece.isMore;
        }
      },
    });
    field.start();
    hints.start();
    hints.stored();
    return new DirectedNode(mesh, field, hints, replicas);
  }

  async stop(): Promise<void> {
    this.hints.stop();
    await this.field.stop();
    await this.mesh.stop();
    this.replicas.close();
  }
}
