import t from 'tap';
import type { HeardEntry } from '@sparc/edge/heard';
import type { EventRecord } from '@sparc/protocol/events';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

const SOUTH = 'b2'.repeat(32);
const idOf = (number: number): string => number.toString(16).padStart(32, '0');

/** What another gateway recorded when it raised something itself. */
const raisedElsewhere = (sequence: number, record: EventRecord): HeardEntry => ({
  id: { author: SOUTH, epoch: 1, sequence },
  hlc: { unixMs: 1_000, counter: 0 },
  wallUnixMs: 1_000,
  timeQuality: 'synced',
  record: { ...record, detail: { by: 'rule:panic', raise: idOf(sequence), ...record.detail } },
});

async function open(changes: SiteChanges = {}): Promise<FieldSite> {
  return FieldSite.open({ policy: sitePolicy(changes), isInMesh: true });
}

const hears = (site: FieldSite, ...entries: readonly HeardEntry[]) =>
  site.field.heard({ delegations: [], entries, behind: [] });

const modes = (site: FieldSite) =>
  Object.fromEntries(site.field.snapshot().doors.map(({ id, mode }) => [id, mode] as const));

t.test('a lockdown that another gateway raised holds here at once, and only a key ends it', async (t) => {
  const site = await open();
  hears(site, raisedElsewhere(4, { name: 'site.lockdown' }));
  t.strictSame(modes(site), { front: 'lockedDown', vault: 'lockedDown', lobby: 'lockedDown', store: 'lockedDown' });
  t.match(site.field.snapshot().mode, {
    lockdown: true,
    raises: [{ id: idOf(4), what: 'lockdown', by: 'rule:panic', gateway: SOUTH }],
  });
  await site.clock.advance(100);
  t.match(site.record('site.lockdown').record, { causeId: { author: SOUTH, epoch: 1, sequence: 4 } });
  await t.rejects(site.field.order({ kind: 'endLockdown' }, 'Ada'), { code: 'ERR_GATEWAY_KEY_REQUIRED' });
  await site.clock.advance(100);
  t.match(site.record('order.refused').record.detail, { by: 'Ada', order: 'endLockdown', why: /key/ });
  t.equal(modes(site)['front'], 'lockedDown');
});

t.test('what is raised for areas and doors concerns the doors whose access points touch them', async (t) => {
  const site = await open({
    areas: [
      { id: 'campus', name: 'Campus' },
      { id: 'hall', name: 'Hall', within: 'campus' },
      { id: 'lab', name: 'Lab' },
    ],
    accessPoints: { 'front-in': { areaTo: 'hall' }, 'front-out': { areaFrom: 'hall' }, 'vault-in': { areaTo: 'lab' } },
  });
  hears(site, raisedElsewhere(4, { name: 'site.lockdown', detail: { scope: 'campus store nowhere' } }));
  t.strictSame(modes(site), { front: 'lockedDown', vault: 'locked', lobby: 'locked', store: 'lockedDown' });
  t.equal(site.field.snapshot().mode.lockdown, false);
  site.field.usePolicy(sitePolicy({ revision: 'r2' }));
  t.strictSame(modes(site), { front: 'locked', vault: 'locked', lobby: 'locked', store: 'lockedDown' });

  hears(site, raisedElsewhere(5, { name: 'site.threat_level', detail: { scope: 'front', level: '3' } }));
  const seen = async (point: string) => {
    site.bus.card(point, CARDS.ann);
    await site.clock.advance(100);
    return site.record('access.granted').record.inputs?.threatLevel;
  };
  t.equal(await seen('front-in'), 3);
  await site.clock.advance(20_000);
  t.equal(await seen('lobby-in'), undefined);
});

t.test('a fire alarm releases elsewhere the doors that name its input, where its gateway alone has that', async (t) => {
  const policy = sitePolicy({
    doors: {
      front: { fireRelease: 'both' },
      store: { fireRelease: 'both', fireAlarms: ['far-panel'] },
      vault: { fireRelease: 'both', fireAlarms: ['other-panel'] },
    },
  });
  const { plan } = policy;
  const far = plan.devices.slice(0, 1).map((device) => ({ ...device, id: 'far-io', bus: 'south' }));
  const panel = { id: 'far-panel', device: 'far-io', number: 1, activeWhen: 'active' as const };
  const wholeSite = { ...plan, devices: [...plan.devices, ...far], inputs: [...plan.inputs, panel] };
  const site = await FieldSite.open({ policy: { ...policy, site: wholeSite }, isInMesh: true });
  const started = (author: string, buses: string): HeardEntry => {
    const heard = raisedElsewhere(1, { name: 'gateway.started', detail: { name: 'it', buses } });
    return { ...heard, id: { ...heard.id, author } };
  };
  const [self, thief] = ['a1'.repeat(32), 'c3'.repeat(32)];
  const members = [self, SOUTH, thief].map((key) => ({ key, name: key.slice(0, 2), addresses: [] }));
  const roster = { self, authority: 'f'.repeat(64), members, expelled: [] };
  site.field.heard({ delegations: [], roster, entries: [started(SOUTH, 'south')], behind: [] });

  const hlc = { unixMs: site.clock.wall().unixMs, counter: 0 };
  const alarm = { ...raisedElsewhere(5, { name: 'fire.alarm', detail: { input: 'far-panel' } }), hlc };
  hears(site, raisedElsewhere(4, { name: 'fire.evacuation' }), { ...alarm, id: { ...alarm.id, author: thief } });
  const released = { front: 'locked', vault: 'locked', lobby: 'locked', store: 'lockedOpen' };
  const locked = { ...released, store: 'locked' };
  t.strictSame(modes(site), locked, 'nor does the word of a gateway that has no such input');
  hears(site, { ...alarm, record: { ...alarm.record, detail: { ...alarm.record.detail, raise: idOf(6) } } });
  t.strictSame(modes(site), released);
  hears(site, started(thief, 'south'));
  t.strictSame(modes(site), locked, 'where two say that they have it neither is believed');
  hears(site, started(thief, ''));
  await site.clock.advance(100);
  t.strictSame(modes(site), released);
  t.ok(site.released('store'));
  await site.field.order({ kind: 'endFire' }, 'Ada');
  await site.clock.advance(100);
  t.notOk(site.released('store'));
});
