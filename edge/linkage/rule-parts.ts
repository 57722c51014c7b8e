import {
  PlanBuses,
  type LinkageAction,
  type LinkageRule,
  type LinkageTrigger,
  type SitePlan,
  type WiredPart,
} from '@sparc/protocol/policy';

/** Something that only the gateway can do that has the bus of its output or door. */
export type PlacedAction = Extract<LinkageAction, { output: string } | { door: string }>;

export const isPlaced = (action: LinkageAction): action is PlacedAction => 'output' in action || 'door' in action;

/** What an action switches or orders, as it is written in records. */
export const targetOf = (action: PlacedAction): string =>
  'output' in action ? `output ${action.output}` : `door ${action.door}`;

/** What of a rule is done where. */
export class RuleParts {
  #rules: ReadonlyMap<string, LinkageRule> = new Map();
  #own: PlanBuses | undefined;
  #site: PlanBuses | undefined;

  /** `site`: all of what `own` is this gateway's part of. */
  configure(own: SitePlan, site: SitePlan): void {
    this.#rules = new Map((site.linkageRules ?? []).map((rule) => [rule.id, rule]));
    this.#own = new PlanBuses(own);
    this.#site = new PlanBuses(site);
  }

  /** As the policy of the whole site has it. */
  rule(id: string): LinkageRule | undefined {
    return this.#rules.get(id);
  }

  /** What has no place is done where the rule runs. */
  isHere(action: LinkageAction): boolean {
    return !isPlaced(action) || busIn(this.#own, action) !== undefined || this.busOf(action) === undefined;
  }

  /**
   * Whether a gateway with these buses may hear what the rule waits for and others do not. What names no place may happen at
   * each; a schedule all follow by themselves.
   */
  isHeardAt({ when }: LinkageRule, hasBus: (bus: string) => boolean): boolean {
    const isAt = ([what, id]: Place) => {
      const bus = what === 'bus' ? id : this.#site?.of(what, id);
      return bus !== undefined && this.#site?.all.has(bus) === true && hasBus(bus);
    };
    return when.some((trigger) => !('schedule' in trigger) && placesOf(trigger).every(isAt));
  }

  /** Undefined for what the site does not have. */
  busOf(action: PlacedAction): string | undefined {
    return busIn(this.#site, action);
  }
}

const busIn = (plan: PlanBuses | undefined, action: PlacedAction): string | undefined =>
  'output' in action ? plan?.of('output', action.output) : plan?.of('door', action.door);

type Place = readonly ['bus' | WiredPart, string];

const PLACES = ['bus', 'device', 'input', 'output', 'door', 'accessPoint'] as const;

/** What of a gateway a trigger names. */
function placesOf(trigger: Exclude<LinkageTrigger, { schedule: string }>): Place[] {
  if ('input' in trigger) return [['input', trigger.input]];
  const { where = {} } = trigger;
  return PLACES.flatMap((what): Place[] => (where[what] === undefined ? [] : [[what, where[what]]]));
}
