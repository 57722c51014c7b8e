import { isDeepStrictEqual } from 'node:util';
import type { EventRecord } from '@sparc/protocol/events';
import { decodeEvent, encodeEvent } from '@sparc/protocol/ledger';
import { isDecision, replayEntry } from '@sparc/edge/access';
import { ACTS } from './acts.js';
import { CHECKS } from './checks.js';
import { clockChange } from './local-time.js';
import { Look, Mismatch, roundStart, told } from './look.js';
import type { Phrase, Round, Scenario } from './scenario-file.js';
import { SETTINGS } from './settings.js';
import { ScenarioWorld, type Setting } from './world.js';

/** What a scenario came to. */
export interface Result {
  /** Each names file and line, what was expected and what was seen. None: it holds. */
  readonly problems: readonly string[];
  readonly events: readonly EventRecord[];
  /** Of doors that hold: `locked to blocked`, `lockedDown keeps from unlocked`, `blocked accessed`. */
  readonly transitions: readonly string[];
  readonly timeZone?: string;
  /** How the clocks of the site were set while it ran. */
  readonly clockChange?: 'forward' | 'back' | undefined;
}

/** Never rejects: what cannot be run is a problem as well. */
export async function runScenario(scenario: Scenario): Promise<Result> {
  try {
    return await play(scenario);
  } catch (error) {
    const what = error instanceof Unplayable ? error.message : `${whereIs(scenario)}: ${(error as Error).stack}`;
    return { problems: [what], events: [], transitions: [] };
  }
}

/** A word that is in no vocabulary, or a site that is refused. */
class Unplayable extends Error {}

async function play(scenario: Scenario): Promise<Result> {
  const problems: string[] = [];
  const setting: Setting = { startText: '', hasTimeSource: true, history: [], away: new Set() };
  const acts = scenario.given.filter(({ text }) => {
    const set = SETTINGS.find(text);
    void set?.(setting);
    return set === undefined;
  });
  const world = await openWorld(scenario, setting);
  try {
    for (const act of acts) await perform(scenario, act, world);
    for (const round of scenario.rounds) problems.push(...(await runRound(scenario, round, world)));
    problems.push(...invariants(scenario, world));
    return {
      problems,
      events: world.journal.entries.map(({ record }) => record),
      transitions: problems.length > 0 ? [] : scenario.rounds.flatMap(transitionsOf),
      timeZone: world.site.timeZone,
      clockChange: clockChange(world.site.timeZone, world.startUnixMs, world.clock.wall().unixMs),
    };
  } finally {
    await world.close();
  }
}

async function openWorld(scenario: Scenario, setting: Setting): Promise<ScenarioWorld> {
  try {
    return await ScenarioWorld.open(scenario.site, scenario.changes, setting);
  } catch (error) {
    throw new Unplayable(`${whereIs(scenario)}: ${(error as Error).message}`, { cause: error });
  }
}

const whereIs = ({ file, line }: Pick<Scenario, 'file' | 'line'>): string => `test/scenarios/${file}:${line}`;
const at = ({ file }: Scenario, { line, text }: Phrase): string => `${whereIs({ file, line })}: ${text}`;

const unplayable = (scenario: Scenario, phrase: Phrase, cause: unknown): Unplayable =>
  new Unplayable(`${at(scenario, phrase)}\n  ${(cause as Error).message}`, { cause });

async function perform(scenario: Scenario, act: Phrase, world: ScenarioWorld): Promise<void> {
  if (act.changes !== undefined) world.changeSite(act.changes);
  else {
    const run = ACTS.find(act.text);
    if (run === undefined) throw new Unplayable(`${at(scenario, act)}\n  is nothing that can happen`);
    try {
      await run(world);
    } catch (error) {
      throw unplayable(scenario, act, error);
    }
  }
  await world.settle();
}

async function runRound(scenario: Scenario, { when, then }: Round, world: ScenarioWorld): Promise<string[]> {
  const before = roundStart(world);
  for (const act of when) await perform(scenario, act, world);
  const look = new Look(world, before);
  const problems: string[] = [];
  for (const check of then) {
    const run = CHECKS.find(check.text);
    if (run === undefined) throw new Unplayable(`${at(scenario, check)}\n  is nothing that can be looked for`);
    try {
      await run(look);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw unplayable(scenario, check, error);
      problems.push(`${at(scenario, check)}\n  ${error.message}; recorded:\n${look.seen}`);
    }
  }
  const [last] = then;
  for (const unnamed of look.unnamed) {
    if (last) problems.push(`${at(scenario, last)}\n  nothing in this \`then\` speaks of: ${unnamed}`);
  }
  return problems;
}

/** What holds in every scenario, whatever it says. */
function invariants(scenario: Scenario, world: ScenarioWorld): string[] {
  const where = whereIs(scenario);
  const problems: string[] = [];
  const isLockedDown = ({ inputs }: EventRecord) => inputs?.doorMode === 'lockedDown';
  for (const { record } of world.journal.entries) {
    const stored = decodeEvent(encodeEvent(record)) as EventRecord;
    if (!isDeepStrictEqual(stored, record))
      problems.push(`${where}: an entry does not come back whole: ${told(record)}`);
    if (SECRETS.some((secret) => JSON.stringify(record).includes(secret)))
      problems.push(`${where}: an entry holds a PIN: ${told(record)}`);
    if (record.name.startsWith('access.granted') && isLockedDown(record) && record.flags?.includes('lockdown') !== true)
      problems.push(`${where}: granted in lockdown without override: ${told(record)}`);
    const view = world.views.get(record.inputs?.policyRevision ?? '');
    if (!isDecision(stored) || view === undefined || record.reason === 'internal_error') continue;
    const { isSame, again } = replayEntry(stored, view);
    if (!isSame) problems.push(`${where}: decided again, ${told(record)} comes to ${JSON.stringify(again)}`);
  }
  return problems;
}

/** PINs of the site files. */
const SECRETS = ['739105', '550173', '804617', '268094'];

/** Of doors, by order and for one passage, as the words of a round tell them. */
function transitionsOf({ when, then }: Round): string[] {
  const words = [...when, ...then].map(({ text }) => text);
  const find = (pattern: RegExp) => words.flatMap((text) => [...(pattern.exec(text) ?? []).slice(1)]);
  const [from, to] = find(/^\S+ goes from (\S+) to (\S+)$/);
  const [kept] = find(/^\S+ stays (\S+)$/);
  const [ordered] = find(/^\S+ orders \S+ (\S+)$/);
  const mode = from ?? kept;
  return [
    ...(from !== undefined && to !== undefined ? [`${from} to ${to}`] : []),
    ...(words.includes('the order is refused') && kept !== undefined ? [`${kept} keeps from ${ordered}`] : []),
    ...(words.some((text) => / opens \S+ once$/.test(text)) && mode !== undefined ? [`${mode} accessed`] : []),
  ];
}
