/** A gateway of the demo site, and the buses that end in its closet. */
export interface DemoGateway {
  readonly id: string;
  readonly name: string;
  readonly buses: readonly string[];
}

export const DEMO_GATEWAYS = [
  { id: 'reception', name: 'Reception', buses: ['bus-1'] },
  { id: 'basement', name: 'Basement', buses: ['bus-2'] },
  { id: 'warehouse', name: 'Warehouse', buses: ['bus-3'] },
] as const satisfies readonly DemoGateway[];

/** Whose a bus is. One that was added to the site file ends at the first gateway. */
export const gatewayOfBus = (bus: string): DemoGateway =>
  DEMO_GATEWAYS.find(({ buses }) => (buses as readonly string[]).includes(bus)) ?? DEMO_GATEWAYS[0];
