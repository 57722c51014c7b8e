import { TOWN_GATEWAYS_COUNT } from '../scenarios/index.js';

const machineOf = (number: number): string => `gateway-${(number % TOWN_GATEWAYS_COUNT) + 1}`;

/** By machine: to which others a cable leads. */
const CABLES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Array.from({ length: TOWN_GATEWAYS_COUNT }, (_, number) => {
    const across = number % 2 === 0 ? 5 : -5;
    const others = [1, -1, across].map((by) => machineOf(number + by + TOWN_GATEWAYS_COUNT));
    return [machineOf(number), new Set(others)] as const;
  }),
);

/** A machine with the key of another hangs where that one does. */
export const cloneOf = (machine: string): string => `clone of ${machine}`;
const placeOf = (machine: string): string => machine.slice(machine.startsWith(cloneOf('')) ? cloneOf('').length : 0);

/** Three cables a gateway, four hops at most, and no two cuts part the town (the graph of Moebius and Kantor). */
export const isWired = (one: string, other: string): boolean => CABLES.get(placeOf(one))?.has(placeOf(other)) === true;
