import { Type, type Static } from '@sinclair/typebox';
import type { EventOf, EventRecord } from '@sparc/protocol/events';

const id = Type.String({ minLength: 1, maxLength: 64 });

/** What a revocation ends: one credential, or a holder with every credential, those of later revisions too. */
export const RevocationSubject = Type.Union([Type.Literal('credential'), Type.Literal('holder')]);
export type RevocationSubject = Static<typeof RevocationSubject>;

/**
 * A tombstone: it lies over every revision of the policy and outlives the card's own expiry, and nothing ends it. Who is
 * to enter again gets a credential, or for a holder a record of the person, under a new id (access-control 4.9).
 */
export const Revocation = Type.Object(
  {
    /** 1, 2, 3… in the order in which this gateway applied them. */
    number: Type.Integer({ minimum: 1 }),
    subject: RevocationSubject,
    id,
    by: id,
    atUnixMs: Type.Integer({ minimum: 0 }),
    /** No credential or holder of the policy in force then had this id. */
    isUnlisted: Type.Optional(Type.Literal(true)),
    /** The directive that says so, and the stamp of the entry that carries it. */
    directive: Type.Optional(id),
    carriedUnixMs: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type Revocation = Static<typeof Revocation>;

/** The last number up to which none is missing. */
export function completeTo(revocations: readonly Revocation[]): number {
  const numbers = new Set(revocations.map(({ number }) => number));
  let last = 0;
  while (numbers.has(last + 1)) last += 1;
  return last;
}

export function revocationRecord({
  number,
  subject,
  id,
  by,
  isUnlisted,
  directive,
}: Revocation): EventOf<'revocation.applied'> {
  const whose = subject === 'credential' ? { credentialId: id } : { holderId: id };
  return {
    name: 'revocation.applied',
    ...whose,
    detail: {
      by,
      number: String(number),
      ...(isUnlisted && { unlisted: 'true' }),
      ...(directive !== undefined && { directive }),
    },
  };
}

/** Undefined where the record is of something else. */
export function revocationOf(record: EventRecord, atUnixMs: number): Revocation | undefined {
  if (record.name !== 'revocation.applied') return undefined;
  const { credentialId, holderId, detail } = record;
  const id = credentialId ?? holderId;
  const number = Number(detail?.['number']);
  if (id === undefined || !Number.isSafeInteger(number)) return undefined;
  const subject = credentialId === undefined ? 'holder' : 'credential';
  const isUnlisted = detail?.['unlisted'] === 'true';
  const directive = detail?.['directive'];
  return {
    number,
    subject,
    id,
    by: detail?.['by'] ?? '',
    atUnixMs,
    ...(isUnlisted && { isUnlisted }),
    ...(directive !== undefined && { directive }),
  };
}
