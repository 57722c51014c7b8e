import type { Lockdown, Span } from './offline-history.js';

/** What the scenario does to the demo, and sees of it. Gateways, doors and cables go by their ids. */
export interface OfflineStage {
  /** So many people to each of the doors, in and out. */
  come(doors: readonly string[], count: number): Promise<void>;
  /** One who may, by card, at each of the doors. */
  enter(doors: readonly string[]): Promise<void>;
  /** One by the exit button of each of the doors. */
  leave(doors: readonly string[]): Promise<void>;
  setCut(cables: readonly string[], isCut: boolean): void;
  kill(gateway: string): Promise<void>;
  start(gateway: string): Promise<void>;
  /** By the operator, at a gateway; gives what the command says. */
  direct(gateway: string, ...words: readonly string[]): Promise<string>;
  /** Resolves when a gateway hears these neighbours and no other; gives since when it hears the last of them. */
  hears(gateway: string, neighbours: readonly string[]): Promise<number>;
  /** Resolves when so many raises stand at a gateway. */
  stands(gateway: string, raisesCount: number): Promise<void>;
  /** Resolves when every log is on every gateway. */
  agree(): Promise<void>;
  nowUnixMs(): number;
  /** An act begins. */
  say(act: string): void;
  /** What a command said. */
  quote(text: string): void;
}

/** When what happened, as the checkers need it. */
export interface OfflineTimes {
  readonly cut: Span;
  readonly servingWhileCut: readonly string[];
  readonly lockdown: Lockdown;
}

const HOUSE = ['main', 'garden'];
const SERVER = ['server'];
const WAREHOUSE = ['warehouse'];
const HOUSE_CABLE = ['reception-basement'];
const WAREHOUSE_CABLES = ['reception-warehouse', 'basement-warehouse'];
const CLOUD_CABLE = ['cloud'];

/** A site loses its links and a gateway, is locked down and released by an operator, and heals. */
export async function playOffline(stage: OfflineStage, visitorsPerDoor: number): Promise<OfflineTimes> {
  const everywhere = [...HOUSE, ...SERVER, ...WAREHOUSE];
  stage.say('Morning peak: people at all doors, in and out; some whom nobody may let in');
  await stage.come(everywhere, visitorsPerDoor);

  stage.say('All cables are cut: those between the gateways, and the one to the cloud');
  stage.setCut([...HOUSE_CABLE, ...WAREHOUSE_CABLES, ...CLOUD_CABLE], true);
  for (const gateway of ['reception', 'basement', 'warehouse']) await stage.hears(gateway, []);
  const cutFromUnixMs = stage.nowUnixMs();
  stage.say('The doors go on deciding, each gateway for itself');
  await stage.enter(everywhere);
  await stage.leave(everywhere);

  stage.say('Warehouse is killed (SIGKILL), right after it let somebody in');
  await stage.enter(WAREHOUSE);
  await stage.kill('warehouse');
  await stage.come([...HOUSE, ...SERVER], 2);

  stage.say('The operator locks the site down, at Reception, which reaches nobody');
  const lockdownFromUnixMs = stage.nowUnixMs();
  stage.quote(await stage.direct('reception', 'lockdown'));
  const cutUntilUnixMs = stage.nowUnixMs();
  stage.say('The cable from Reception to Basement is joined: Basement hears of it');
  stage.setCut(HOUSE_CABLE, false);
  const basementHearsUnixMs = await stage.hears('basement', ['Reception']);
  await stage.stands('basement', 1);
  stage.say('Locked down: cards are denied, the exit buttons let everybody out');
  await stage.enter([...HOUSE, ...SERVER]);
  await stage.leave([...HOUSE, ...SERVER]);

  stage.say('The operator releases the site, at Basement');
  const lockdownUntilUnixMs = stage.nowUnixMs();
  stage.quote(await stage.direct('basement', 'release', '--all'));
  await stage.stands('reception', 0);
  await stage.enter([...HOUSE, ...SERVER]);

  stage.say('The site heals: Warehouse starts again, and every cable is joined');
  stage.setCut(WAREHOUSE_CABLES, false);
  await stage.start('warehouse');
  await stage.hears('warehouse', ['Basement', 'Reception']);
  await stage.agree();
  await stage.enter(everywhere);
  stage.say('Every log has to reach every gateway');
  await stage.agree();
  return {
    cut: { fromUnixMs: cutFromUnixMs, untilUnixMs: cutUntilUnixMs },
    servingWhileCut: ['reception', 'basement'],
    lockdown: {
      givenAt: 'reception',
      fromUnixMs: lockdownFromUnixMs,
      untilUnixMs: lockdownUntilUnixMs,
      couldHearUnixMs: new Map([['basement', basementHearsUnixMs]]),
    },
  };
}
