import { nodeCrypto } from '@sparc/edge/ledger';
import type { AppendedEntry, Clock } from '@sparc/protocol/ports';
import type { Roster } from '@sparc/protocol/roster';
import { buildDoors, DOOR_PHYSICS, type SimulatedDoor } from '../devices/index.js';
import type { SimulatedMesh } from '../mesh/index.js';
import { SiteHistory, TOWN_GATEWAYS_COUNT, townBus } from '../scenarios/index.js';
import type { SeededRandom } from '../world/index.js';
import { CardLevelBus } from './card-level-bus.js';
import { withMemory } from './known-signatures.js';
import { seededSigner } from './seeded-signer.js';
import { SimulatedAuthority } from './simulated-authority.js';
import { townWrappers, type TownDefect } from './town-defects.js';
import { TownGateway, type TownGatewayDeps } from './town-gateway.js';
import type { TownPolicy } from './town-policy.js';
import { cloneOf } from './town-wiring.js';

/** One gateway, and all that hangs on it. */
export interface Quarter {
  readonly gateway: TownGateway;
  readonly bus: CardLevelBus;
  readonly history: SiteHistory;
}

export interface Town {
  readonly quarters: readonly Quarter[];
  readonly doors: ReadonlyMap<string, SimulatedDoor>;
  readonly authority: SimulatedAuthority;
  /** Who belongs to the site. */
  readonly roster: Roster;
  /** Another machine with the key of a gateway and what is on its disks; no device hangs on it, and it is off. */
  clone(of: TownGateway): TownGateway;
}

export interface TownParts {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly mesh: SimulatedMesh;
  readonly policy: TownPolicy;
  readonly defect: TownDefect | undefined;
  onRecord(gateway: number, entry: AppendedEntry): void;
  onExpelled(gateway: TownGateway, key: string): void;
  trace(line: string): void;
}

/** Contacts that flutter are of the site world: here they would be most of what is recorded. */
const PHYSICS = { ...DOOR_PHYSICS, bounces: 0 };
const DRIFT_MAX_PPM = 200;
const YEAR_MS = 31_536_000_000;

/** Sixteen gateways with their doors, of which each knows the roster of its site. */
export function buildTown(parts: TownParts): Town {
  const { clock, random, mesh, policy, defect } = parts;
  const { site } = policy;
  const crypto = withMemory(nodeCrypto);
  const authority = new SimulatedAuthority(random.fork('authority'), crypto, site.site.id);
  const signers = Array.from({ length: TOWN_GATEWAYS_COUNT }, (_, index) =>
    crypto.remembered(seededSigner(random.fork(`identity/${index}`))),
  );
  const { unixMs } = clock.wall();
  const roster: Roster = {
    site: site.site.id,
    epoch: 1,
    issuedUnixMs: unixMs,
    notAfterUnixMs: unixMs + YEAR_MS,
    members: signers.map(({ publicKey }, index) => ({
      key: Buffer.from(publicKey).toString('hex'),
      name: `gateway-${index + 1}`,
      addresses: [],
    })),
    expelled: [],
  };
  const doors = new Map<string, SimulatedDoor>();
  const depsOf = new Map<string, TownGatewayDeps>();
  const quarters = signers.map((signer, index): Quarter => {
    const { plan } = policy.of(index, unixMs);
    const own = random.fork(`gateway/${index}`);
    const bus = new CardLevelBus(
      clock,
      own.fork('bus'),
      plan.devices.map(({ id }) => id),
    );
    const built = buildDoors({ clock, site: { ...site, ...plan }, devices: bus.devices, physics: PHYSICS });
    for (const [id, door] of built.doors) {
      doors.set(id, door);
      door.lock.onChange = () => parts.trace(`lock ${id} ${door.lock.released}`);
    }
    const deps = {
      clock,
      random: own,
      crypto,
      mesh,
      bus,
      signer,
      roster,
      authority: authority.signer.publicKey,
      busId: townBus(index),
      driftPpm: own.fork('drift').between(-DRIFT_MAX_PPM, DRIFT_MAX_PPM),
      onRecord: (entry: AppendedEntry) => parts.onRecord(index, entry),
      onExpelled: (gateway: TownGateway, key: string) => parts.onExpelled(gateway, key),
    };
    depsOf.set(`gateway-${index + 1}`, deps);
    const keys = roster.members.map(({ key }) => key);
    const gateway = new TownGateway(`gateway-${index + 1}`, deps, townWrappers(defect, index, keys));
    const outputs = new Map(plan.outputs.map((output) => [output.id, output.device]));
    const history = new SiteHistory(
      () => clock.monotonicMs(),
      built.doors,
      new Map([
        ...plan.doors.map(({ id, lock }) => [id, outputs.get(lock.output) ?? ''] as const),
        ...plan.readers.map(({ id, device }) => [id, device] as const),
      ]),
    );
    watch(bus, history, new Map(plan.readers.map(({ id, device }) => [device, id])));
    return { gateway, bus, history };
  });
  const clone = (original: TownGateway): TownGateway => {
    const deps = depsOf.get(original.name);
    if (deps === undefined) throw new Error(`the town has no ${original.name}`);
    const own = random.fork(`clone/${original.name}`);
    const bus = new CardLevelBus(clock, own.fork('bus'), []);
    const copy = new TownGateway(cloneOf(original.name), { ...deps, random: own, bus, onRecord: () => undefined });
    copy.copy(original);
    return copy;
  };
  return { quarters, doors, authority, roster, clone };
}

/** What readers show, and which devices are reached. */
function watch(bus: CardLevelBus, history: SiteHistory, readerOf: ReadonlyMap<string, string>): void {
  bus.onIndication = (deviceId) => history.indications.add(readerOf.get(deviceId) ?? '', history.endMs);
  for (const deviceId of bus.devices.keys()) {
    let end: (() => void) | undefined = history.outage(deviceId);
    bus.onOnline(deviceId, (online) => {
      end?.();
      end = online ? undefined : history.outage(deviceId);
    });
  }
}
