import type { LinkageAction, LinkageRule, LinkageTrigger, SitePlan } from '@sparc/protocol/policy';

/** Of the plan of a site, or of a gateway's part of it. */
export type LinkagePlan = Pick<SitePlan, 'linkageRules' | 'devices' | 'inputs' | 'outputs' | 'doors' | 'accessPoints'>;

/** Something that only the gateway can do that has the bus of its output or door. */
export type PlacedAction = Extract<LinkageAction, { output: string } | { door: string }>;

export const isPlaced = (action: LinkageAction): action is PlacedAction => 'output' in action || 'door' in action;

/** What an action switches or orders, as it is written in records. */
export const targetOf = (action: PlacedAction): string =>
  'output' in action ? `output ${action.output}` : `door ${action.door}`;

/** What of a rule is done where. */
export class RuleParts {
  #rules: ReadonlyMap<string, LinkageRule> = new Map();
  #here: ReadonlySet<string> = new Set();
  /** By what is named, and its id. */
  #buses: ReadonlyMap<string, string> = new Map();

  /** `site`: all of what `own` is this gateway's part of. */
  configure(own: LinkagePlan, site: LinkagePlan): void {
    const busOfDevice = new Map(site.devices.map(({ id, bus }) => [id, bus]));
    const busOfOutput = new Map(site.outputs.map(({ id, device }) => [id, busOfDevice.get(device) ?? '']));
    this.#rules = new Map((site.linkageRules ?? []).map((rule) => [rule.id, rule]));
    this.#here = new Set([...own.outputs.map(({ id }) => `output ${id}`), ...own.doors.map(({ id }) => `door ${id}`)]);
    const buses = new Map<string, string>();
    for (const [id, bus] of busOfDevice) buses.set(`bus ${bus}`, bus).set(`device ${id}`, bus);
    for (const { id, device } of site.inputs) buses.set(`input ${id}`, busOfDevice.get(device) ?? '');
    for (const [id, bus] of busOfOutput) buses.set(`output ${id}`, bus);
    for (const { id, lock } of site.doors) buses.set(`door ${id}`, busOfOutput.get(lock.output) ?? '');
    for (const { id, door } of site.accessPoints) buses.set(`accessPoint ${id}`, buses.get(`door ${door}`) ?? '');
    this.#buses = buses;
  }

  /** As the policy of the whole site has it. */
  rule(id: string): LinkageRule | undefined {
    return this.#rules.get(id);
  }

  /** What has no place is done where the rule runs. */
  isHere(action: LinkageAction): boolean {
    return !isPlaced(action) || this.#here.has(targetOf(action)) || this.busOf(action) === undefined;
  }

  /**
   * Whether a gateway with these buses may hear what the rule waits for and others do not. What names no place may happen at
   * each; a schedule all follow by themselves.
   */
  isHeardAt({ when }: LinkageRule, hasBus: (bus: string) => boolean): boolean {
    return when.some(
      (trigger) => !('schedule' in trigger) && placesOf(trigger).every((place) => hasBus(this.#buses.get(place) ?? '')),
    );
  }

  /** Undefined for what the site does not have. */
  busOf(action: PlacedAction): string | undefined {
    return this.#buses.get(targetOf(action));
  }
}

const PLACES = ['bus', 'device', 'input', 'output', 'door', 'accessPoint'] as const;

/** What of a gateway a trigger names. */
function placesOf(trigger: Exclude<LinkageTrigger, { schedule: string }>): string[] {
  if ('input' in trigger) return [`input ${trigger.input}`];
  const { where = {} } = trigger;
  return PLACES.flatMap((what) => (where[what] === undefined ? [] : [`${what} ${where[what]}`]));
}
