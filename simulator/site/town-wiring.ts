import { TOWN_GATEWAYS_COUNT } from '../scenarios/index.js';

/** Three cables a gateway, four hops at most, and no two cuts part the town (the graph of Moebius and Kantor). */
export function isWired(one: string, other: string): boolean {
  const [a, b] = [numberOf(one), numberOf(other)];
  const beside = (by: number) => (a + by + TOWN_GATEWAYS_COUNT) % TOWN_GATEWAYS_COUNT;
  return [beside(1), beside(-1), beside(a % 2 === 0 ? 5 : -5)].includes(b);
}

/** `gateway-1` is number 0. */
const numberOf = (machine: string): number => Number(machine.slice('gateway-'.length)) - 1;
