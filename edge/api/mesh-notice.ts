import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { EventDraft } from '@sparc/protocol/events';
import { headFromText, isSignatureValid, sameBytes, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import { cursorOf, type Cursor } from './site-event.js';

const closed = { additionalProperties: false };
const neighbour = {
  neighbour: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  name: Type.String({ minLength: 1, maxLength: 128 }),
};
/** As `headToText` writes it. */
const HeadText = Type.String({ maxLength: 1_024 });

/** What the site process tells of the mesh, for the journal. */
export const MeshNotice = Type.Union([
  Type.Object({ kind: Type.Literal('found'), ...neighbour }, closed),
  Type.Object({ kind: Type.Literal('lost'), ...neighbour }, closed),
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
 * notice is none, or tells of a fork that its author did not sign.
 */
export function noticedEvent(crypto: LedgerCrypto, notice: unknown): EventDraft | undefined {
  if (!Value.Check(MeshNotice, notice)) return undefined;
  switch (notice.kind) {
    case 'found':
      return { name: 'mesh.neighbour_found', detail: { neighbour: notice.neighbour, name: notice.name } };
    case 'lost':
      return { name: 'mesh.neighbour_lost', detail: { neighbour: notice.neighbour, name: notice.name } };
    case 'forked': {
      const first = signedHead(crypto, notice.first);
      const second = signedHead(crypto, notice.second);
      if (first === undefined || second === undefined || !sameBytes(first.author, second.author)) return undefined;
      if (sameBytes(first.hash, second.hash)) return undefined;
      const author = Buffer.from(first.author).toString('hex');
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
