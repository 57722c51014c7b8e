import type { ListName, SiteCheck } from '@sparc/protocol/site-check';
import { busPlanProblem } from '@sparc/firmware-bridges/bus-plan';
import { splitDoors } from './check-door-gateway.js';

/** A line of the gateway that is to serve a site file. */
export interface PolicyBus {
  readonly id: string;
  /** Bits a second. */
  readonly baudRate: number;
}

/**
 * No line has more devices than it can poll in a second, and no door its parts at two gateways. Buses of other gateways
 * are not known here.
 */
export function checkBuses(check: SiteCheck, buses: readonly PolicyBus[]): void {
  const devices = [...check.entries('devices')];
  for (const { id, baudRate } of buses) {
    const here = devices.filter(([, { bus }]) => bus === id);
    const plans = here.map(([, { secureChannel }]) => ({ secureChannel: { mode: secureChannel } }));
    const problem = busPlanProblem(plans, baudRate);
    const [last] = here.at(-1) ?? [];
    if (problem === undefined || last === undefined) continue;
    const advice = 'Raise the speed of the bus (`sparc commission set-speed`), or spread its devices over two';
    const message = `asks too much of ${id}: ${problem.message}. ${advice}`;
    check.problems.push(check.source.problem(problem.code, ['devices', last, 'bus'], message));
  }
  checkDoorsWhole(check, buses);
}

function checkDoorsWhole(check: SiteCheck, buses: readonly PolicyBus[]): void {
  const plan = {
    devices: listOf(check, 'devices'),
    readers: listOf(check, 'readers'),
    inputs: listOf(check, 'inputs'),
    outputs: listOf(check, 'outputs'),
    doors: listOf(check, 'doors'),
    accessPoints: listOf(check, 'accessPoints'),
  };
  const split = splitDoors(
    plan,
    buses.map(({ id }) => id),
  );
  for (const [index, { id }] of check.entries('doors')) {
    for (const { doorId, message } of split) if (doorId === id) check.refuse(['doors', index], message);
  }
}

const listOf = <L extends ListName>(check: SiteCheck, list: L) => [...check.entries(list)].map(([, entry]) => entry);
