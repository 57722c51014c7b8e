import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ERRORS, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import { headFromText, isSignatureValid, sameBytes, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import { toHex } from '../platform/index.js';
import { FULL_REASONS } from '../replica/index.js';
import { cursorOf, type Cursor } from './site-event.js';

const closed = { additionalProperties: false };
const neighbour = {
  neighbour: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  name: Type.String({ minLength: 1, maxLength: 128 }),
};
const code = Type.Union((Object.keys(ERRORS) as ErrorCode[]).map((each) => Type.Literal(each)));
const courier = Type.String({ pattern: '^[0-9a-f-]{1,64}$' });
const count = Type.Integer({ minimum: 0 });
/** As `headToText` writes it. */
const HeadText = Type.String({ maxLength: 1_024 });

/** What the site process tells of the mesh, for the journal. */
export const MeshNotice = Type.Union([
  Type.Object({ kind: Type.Literal('found'), ...neighbour }, closed),
  Type.Object({ kind: Type.Literal('lost'), ...neighbour }, closed),
  Type.Object(
    { kind: Type.Literal('expelled'), ...neighbour, epoch: Type.Integer({ minimum: 1, maximum: 2 ** 32 - 1 }) },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('refused'),
      entryKind: Type.String({ minLength: 1, maxLength: 32 }),
      epoch: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }),
      sequence: Type.Integer({ minimum: 0 }),
      code,
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('imported'),
      courier,
      maker: neighbour.neighbour,
      entriesCount: count,
      partsCount: count,
      detachedCount: count,
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('importRefused'), courier, code }, closed),
  Type.Object({ kind: Type.Literal('cloudRefused'), code, count }, closed),
  Type.Object(
    {
      kind: Type.Literal('replicaFull'),
      author: neighbour.neighbour,
      limit: Type.Union(FULL_REASONS.map((reason) => Type.Literal(reason))),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('replicasLost'),
      code,
      movedTo: Type.String({ pattern: '^replica\\.corrupt-[0-9]{1,9}\\.db$' }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('forked'),
      fork: Type.Union([Type.Literal('altered'), Type.Literal('setBack'), Type.Literal('twoLives')]),
      first: HeadText,
      second: HeadText,
    },
    closed,
  ),
]);
export type MeshNotice = Static<typeof MeshNotice>;

/**
 * The event that a notice stands for. The site process speaks to the network and is not believed: undefined where the
 * notice is none, or tells of a fork whose heads its author did not sign. That they contradict each other is its word alone:
 * it would take both ledgers to know.
 */
export function noticedEvent(crypto: LedgerCrypto, notice: unknown): EventDraft | undefined {
  if (!Value.Check(MeshNotice, notice)) return undefined;
  switch (notice.kind) {
    case 'found':
      return { name: 'mesh.neighbour_found', detail: { neighbour: notice.neighbour, name: notice.name } };
    case 'lost':
      return { name: 'mesh.neighbour_lost', detail: { neighbour: notice.neighbour, name: notice.name } };
    case 'expelled':
      return {
        name: 'mesh.gateway_expelled',
        detail: { neighbour: notice.neighbour, name: notice.name, epoch: String(notice.epoch) },
      };
    case 'refused': {
      const { entryKind, epoch, sequence, code } = notice;
      return {
        name: 'mesh.authority_refused',
        code,
        detail: { kind: entryKind, entry: cursorOf({ epoch, sequence }) },
      };
    }
    case 'imported': {
      const { maker, entriesCount, partsCount, detachedCount } = notice;
      const counts = { entries: String(entriesCount), parts: String(partsCount), detached: String(detachedCount) };
      return { name: 'ledger.imported', detail: { courier: notice.courier, maker, ...counts } };
    }
    case 'importRefused':
      return { name: 'ledger.import_refused', code: notice.code, detail: { courier: notice.courier } };
    case 'cloudRefused':
      return { name: 'mesh.cloud_refused', code: notice.code, detail: { messages: String(notice.count) } };
    case 'replicaFull':
      return { name: 'ledger.replica_full', detail: { author: notice.author, limit: notice.limit } };
    case 'replicasLost':
      return { name: 'ledger.replicas_lost', code: notice.code, detail: { movedTo: notice.movedTo } };
    case 'forked': {
      const first = signedHead(crypto, notice.first);
      const second = signedHead(crypto, notice.second);
      if (first === undefined || second === undefined || !sameBytes(first.author, second.author)) return undefined;
      if (sameBytes(first.hash, second.hash)) return undefined;
      const author = toHex(first.author);
      const detail = { author, kind: notice.fork, first: placeOf(first), second: placeOf(second) };
      return { name: 'ledger.forked', detail };
    }
  }
}

function signedHead(crypto: LedgerCrypto, text: string): SignedHead | undefined {
  try {
    const head = headFromText(text);
    return isSignatureValid(crypto, head) ? head : undefined;
  } catch {
    return undefined;
  }
}

const placeOf = ({ epoch, sequence }: SignedHead): Cursor => cursorOf({ epoch: epoch.counter, sequence });
