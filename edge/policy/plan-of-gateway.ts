import { PlanBuses, type SitePlan, type WiredPart } from '@sparc/protocol/policy';

/**
 * What of a site is a gateway's own to serve: the devices on its buses, and the doors whose lock they drive. Areas,
 * schedules, card formats and linkage rules are everybody's.
 */
export function planOfGateway(plan: SitePlan, busIds: readonly string[]): SitePlan {
  const buses = new PlanBuses(plan);
  const isHere = (part: WiredPart, id: string) => busIds.includes(buses.of(part, id) ?? '');
  const here = <T extends { readonly id: string }>(part: WiredPart, list: readonly T[]): T[] =>
    list.filter(({ id }) => isHere(part, id));
  return {
    ...plan,
    devices: here('device', plan.devices),
    readers: here('reader', plan.readers),
    inputs: here('input', plan.inputs),
    outputs: here('output', plan.outputs),
    doors: here('door', plan.doors),
    accessPoints: here('accessPoint', plan.accessPoints).filter(({ reader }) => isHere('reader', reader)),
  };
}
