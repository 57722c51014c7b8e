import type { Claim } from './claim.js';

/** Where somebody was last. */
export interface Presence {
  /** Absent: outside of all areas. */
  readonly areaId?: string;
  readonly certain: boolean;
  readonly sinceUnixMs: number;
  /** Of a visitor: who vouched for them. */
  readonly escortId?: string;
}

/** What the claims of the ledger come to. */
export interface AreaState {
  /** By holder. */
  readonly presences: ReadonlyMap<string, Presence>;
  /** Last passage of a holder at an access point, by `useKey`. */
  readonly uses: ReadonlyMap<string, number>;
  /** People who left an area without a card since, by area. */
  readonly anonymousExits: ReadonlyMap<string, number>;
}

export const NOBODY_SEEN: AreaState = { presences: new Map(), uses: new Map(), anonymousExits: new Map() };

export const useKey = (holderId: string, accessPointId: string): string => `${holderId}\n${accessPointId}`;

/** `isWithin`: whether the first area is the second or lies in it. */
export function step(
  state: AreaState,
  { record, atUnixMs }: Claim,
  isWithin: (areaId: string, outerId: string) => boolean,
): AreaState {
  const { name, holderId, accessPointId, detail = {} } = record;
  const presences = new Map(state.presences);
  switch (name) {
    case 'area.moved': {
      if (holderId === undefined) return state;
      const { to, certain, escort } = detail;
      presences.set(holderId, {
        ...(to !== undefined && { areaId: to }),
        certain: certain === 'true',
        sinceUnixMs: atUnixMs,
        ...(escort !== undefined && { escortId: escort }),
      });
      const uses = new Map(state.uses);
      if (accessPointId !== undefined) uses.set(useKey(holderId, accessPointId), atUnixMs);
      return { presences, uses, anonymousExits: withoutSeenAgain(state, holderId, isWithin) };
    }
    case 'area.left_anonymously': {
      const { area } = detail;
      if (area === undefined) return state;
      // It may have been any of them.
      for (const [id, presence] of presences) {
        const isInside = presence.areaId !== undefined && isWithin(presence.areaId, area);
        if (isInside) presences.set(id, { ...presence, certain: false });
      }
      const anonymousExits = new Map(state.anonymousExits);
      anonymousExits.set(area, (anonymousExits.get(area) ?? 0) + 1);
      return { ...state, presences, anonymousExits };
    }
    case 'area.presence_expired':
    case 'apb.forgiven': {
      if (holderId === undefined) return state;
      presences.delete(holderId);
      const uses = new Map([...state.uses].filter(([key]) => !key.startsWith(`${holderId}\n`)));
      return { presences, uses, anonymousExits: withoutSeenAgain(state, holderId, isWithin) };
    }
    default:
      return state;
  }
}

/** Somebody who was doubted in an area is accounted for: one of its anonymous exits was theirs, or is as good as theirs. */
function withoutSeenAgain(
  { presences, anonymousExits }: AreaState,
  holderId: string,
  isWithin: (areaId: string, outerId: string) => boolean,
): AreaState['anonymousExits'] {
  const before = presences.get(holderId);
  if (before?.areaId === undefined || before.certain) return anonymousExits;
  const { areaId } = before;
  return new Map(
    [...anonymousExits]
      .map(([area, count]) => [area, isWithin(areaId, area) ? count - 1 : count] as const)
      .filter(([, count]) => count > 0),
  );
}
