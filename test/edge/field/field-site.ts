import { WEEKDAYS, type AccessPoint, type Area, type Door, type Schedule } from '@sparc/protocol/policy';
import { Field, type FieldDeps, type FieldPolicy } from '@sparc/edge/field';
import type { AuthorisationHost } from '@sparc/edge/host';
import type { ModeStore } from '@sparc/edge/site-mode';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { cardBits } from '../access/scene.js';
import { MemoryFieldBus } from '../../support/memory-field-bus.js';
import { MemoryJournal } from '../../support/memory-journal.js';
import { MemoryPolicyView, type MemoryCredential } from '../../support/memory-policy-view.js';

type SitePlan = Extract<FieldPolicy, { kind: 'policy' }>['plan'];

/** Monday, 2026-01-05, in UTC; the lobby is open from 09:00 to 17:00. */
export const EIGHT_UNIX_MS = Date.UTC(2026, 0, 5, 8);

export const CARDS = {
  ann: cardBits('h10301', 1, 42),
  /** Suspended holder. */
  bob: cardBits('h10301', 1, 43),
  /** In the list where the site says so. */
  carla: cardBits('h10301', 1, 44),
  /** In no list. */
  stranger: cardBits('h10301', 1, 99),
  emergency: cardBits('h10301', 1, 7),
} as const;

const POINTS = ['front-in', 'front-out', 'vault-in', 'vault-out', 'lobby-in', 'store-in'] as const;

const credential = (id: string, number: number, more: Partial<MemoryCredential> = {}): MemoryCredential => ({
  id,
  holderId: `${id}-holder`,
  holderStatus: 'active',
  status: 'active',
  hasPin: true,
  pin: '2468',
  keys: [`h10301:1:${number}`],
  rights: Object.fromEntries(POINTS.map((point) => [point, 'always'])),
  ...more,
});

export interface SiteChanges {
  readonly areas?: readonly Area[];
  /** Carla has what Ann has. */
  readonly carla?: boolean;
  /** Beside Ann, Bob and Carla: what they have, and whatever differs. */
  readonly people?: readonly (Partial<MemoryCredential> & { readonly id: string; readonly number: number })[];
  readonly revision?: string;
  readonly ann?: Partial<MemoryCredential>;
  readonly doors?: Readonly<Record<string, Partial<Door>>>;
  readonly accessPoints?: Readonly<Record<string, Partial<AccessPoint>>>;
  readonly removed?: readonly string[];
  readonly absorbed?: SitePlan['absorbedDirectives'];
  /** Beside those of the doors. */
  readonly inputs?: SitePlan['inputs'];
}

const door = (id: string, more: Partial<Door> = {}): Door => ({
  id,
  name: id,
  lock: { output: `${id}-lock`, type: 'failSecure' },
  contact: { input: `${id}-contact` },
  exitRequest: { input: `${id}-exit`, releases: true },
  onGatewayLoss: 'relock',
  ...more,
});

const accessPoint = (id: string, more: Partial<AccessPoint> = {}): AccessPoint => ({
  id,
  name: id,
  door: id.split('-')[0] ?? id,
  reader: `${id}-reader`,
  direction: id.endsWith('-out') ? 'exit' : 'entry',
  authentication: 'card',
  onRecordFailure: 'deny',
  ...more,
});

/** Every plan has it. */
const ALWAYS: Schedule = {
  id: 'always',
  name: 'Always',
  weekly: [{ days: [...WEEKDAYS], from: '00:00', to: '24:00' }],
};

/**
 * Doors `front` (relocks 500 ms after opening), `vault` (magnet without contact, PIN), `lobby` (scheduled unlock), `store`
 * (plain). One secured I/O device `<door>-io` each: outputs 0 lock, 1 shunt, 2 bolt, inputs 0 contact, 1 exit request; and
 * one reader device for each access point, of the same id.
 */
export function sitePolicy(changes: SiteChanges = {}): Extract<FieldPolicy, { kind: 'policy' }> {
  const all = [
    door('front', { timings: { delayTimeBeforeRelockMs: 500 } }),
    door('vault', { lock: { output: 'vault-lock', type: 'failSafe' }, contact: null }),
    door('lobby', { unlockSchedule: 'office' }),
    door('store'),
  ];
  const doors = all
    .filter(({ id }) => !changes.removed?.includes(id))
    .map((each) => ({ ...each, ...changes.doors?.[each.id] }));
  const accessPoints = [
    ...POINTS.map((id) => accessPoint(id, id === 'vault-in' ? { authentication: 'cardAndPin' } : {})),
  ].map((each) => ({ ...each, ...changes.accessPoints?.[each.id] }));
  const schedules = [{ id: 'office', name: 'Office', weekly: [{ days: ['mo' as const], from: '09:00', to: '17:00' }] }];
  const revision = changes.revision ?? 'r1';
  const plan: SitePlan = {
    site: { id: 'site', name: 'Site', timeZone: 'UTC' },
    cardFormats: [{ format: 'h10301' }],
    areas: [...(changes.areas ?? [])],
    specialDayGroups: [],
    schedules: [ALWAYS, ...schedules],
    doors,
    accessPoints,
    ...(changes.absorbed && { absorbedDirectives: changes.absorbed }),
    devices: [
      ...all.map(({ id }) => ({ id: `${id}-io`, side: 'secured' as const })),
      ...POINTS.map((id) => ({ id, side: 'unsecured' as const })),
    ].map((device, address) => ({ ...device, bus: 'bus', address, secureChannel: 'required' as const })),
    readers: POINTS.map((id) => ({ id: `${id}-reader`, device: id, number: 0 })),
    inputs: [
      ...all.flatMap(({ id }) => [
        { id: `${id}-contact`, device: `${id}-io`, number: 0, activeWhen: 'active' as const },
        { id: `${id}-exit`, device: `${id}-io`, number: 1, activeWhen: 'active' as const },
      ]),
      ...(changes.inputs ?? []),
    ],
    outputs: all.flatMap(({ id }) =>
      ['lock', 'shunt', 'bolt'].map((what, number) => ({ id: `${id}-${what}`, device: `${id}-io`, number })),
    ),
  };
  const view = new MemoryPolicyView({
    revision,
    accessPoints,
    schedules,
    ...(changes.areas && { areas: changes.areas }),
    credentials: [
      credential('ann', 42, changes.ann),
      credential('bob', 43, { holderStatus: 'suspended' }),
      ...(changes.carla === true ? [credential('carla', 44)] : []),
      ...(changes.people ?? []).map(({ id, number, ...more }) => credential(id, number, more)),
    ],
  });
  return { kind: 'policy', view, plan };
}

export interface SiteOptions {
  readonly policy?: FieldPolicy;
  /** Devices stay away until told otherwise. */
  readonly offline?: boolean;
  readonly modeStore?: ModeStore;
  readonly recordedRevocations?: FieldDeps['recordedRevocations'];
  readonly host?: AuthorisationHost;
  readonly isInMesh?: boolean;
  readonly linkageStore?: FieldDeps['linkageStore'];
  readonly directives?: FieldDeps['directives'];
  readonly revocationStore?: FieldDeps['revocationStore'];
  readonly claims?: FieldDeps['claims'];
  /** Time as the field has it; without it, that of the machine. */
  readonly siteClock?: (machine: VirtualClock) => Pick<FieldDeps, 'clock' | 'acceptClock'>;
}

/** A field with all its devices online and all its doors closed, 1 s after the start. */
export class FieldSite {
  readonly clock = new VirtualClock({ startUnixMs: EIGHT_UNIX_MS });
  readonly bus = new MemoryFieldBus(this.clock);
  readonly journal = new MemoryJournal(this.clock);
  readonly errors: object[] = [];
  readonly field: Field;

  private constructor({
    host,
    isInMesh = false,
    modeStore,
    linkageStore,
    directives,
    revocationStore,
    recordedRevocations,
    claims,
    siteClock,
  }: SiteOptions) {
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object) => void this.errors.push(fields),
    };
    const { clock, bus, journal } = this;
    this.field = new Field({
      clock,
      fieldBus: bus,
      journal,
      log,
      random: new SeededRandom('field'),
      isInMesh,
      ...(host && { host }),
      ...(modeStore && { modeStore }),
      ...(linkageStore && { linkageStore }),
      ...(directives && { directives }),
      ...(revocationStore && { revocationStore }),
      ...(recordedRevocations && { recordedRevocations }),
      ...(claims && { claims }),
      ...siteClock?.(clock),
    });
  }

  static async open(options: SiteOptions = {}): Promise<FieldSite> {
    const site = new FieldSite(options);
    site.field.usePolicy(options.policy ?? sitePolicy());
    site.field.start();
    if (options.offline !== true) site.connect();
    await site.clock.advance(1_000);
    return site;
  }

  connect(): void {
    for (const name of ['front', 'vault', 'lobby', 'store']) {
      this.bus.status(`${name}-io`);
      for (const number of [0, 1]) this.bus.input(`${name}-io`, number, 'inactive');
    }
    for (const point of POINTS) this.bus.status(point);
  }

  /** Names of what was recorded since the last call. */
  news(): string[] {
    const names = this.journal.names.slice(this.#read);
    this.#read = this.journal.entries.length;
    return names;
  }
  #read = 0;

  record(name: string) {
    const entry = this.journal.entries.findLast((each) => each.record.name === name);
    if (!entry) throw new Error(`${name} was not recorded: ${this.journal.names.join(', ')}`);
    return entry;
  }

  /** What the reader was last told to show. */
  shown(point: string): string | undefined {
    return this.bus.indications.findLast(({ reader }) => reader === `${point}#0`)?.indication;
  }

  released(name: string): boolean {
    return this.bus.energised(`${name}-io`) !== (name === 'vault');
  }

  open(name: string): void {
    this.bus.input(`${name}-io`, 0, 'active');
  }

  close(name: string): void {
    this.bus.input(`${name}-io`, 0, 'inactive');
  }

  pressExit(name: string, pressed: boolean): void {
    this.bus.input(`${name}-io`, 1, pressed ? 'active' : 'inactive');
  }
}
