import t from 'tap';
import type { Input } from '@sparc/protocol/policy';
import { FieldSite, sitePolicy } from './field-site.js';

const input = (more: Partial<Input>): Input => ({
  id: 'watched',
  device: 'front-io',
  number: 6,
  activeWhen: 'active',
  ...more,
});

t.test('mains, battery, cabinet and watchdog are told when they fail and when they are back, once', async (t) => {
  const cases = [
    ['mainsFailure', 'power.mains_failed', 'power.mains_restored'],
    ['batteryLow', 'power.battery_low', 'power.battery_restored'],
    ['cabinetTamper', 'cabinet.tamper', 'cabinet.tamper_clear'],
    ['watchdog', 'watchdog.alarm', 'watchdog.restored'],
  ] as const;
  for (const [purpose, failed, restored] of cases) {
    const site = await FieldSite.open({ policy: sitePolicy({ inputs: [input({ purpose, activeWhen: 'inactive' })] }) });
    site.bus.input('front-io', 6, 'active');
    await site.clock.advance(10);
    site.news();
    for (const state of ['inactive', 'inactive', 'short', 'inactive', 'active', 'active'] as const) {
      site.bus.input('front-io', 6, state);
      await site.clock.advance(10);
    }
    t.same(site.news(), [failed, 'input.fault', 'input.restored', restored]);
    t.match(site.record(failed).record, { deviceId: 'front-io', detail: { input: 'watched' } });
  }
});

t.test('a state counts when it lasted for the debounce time, and a chatter of any length is nothing', async (t) => {
  const policy = sitePolicy({ inputs: [input({ purpose: 'cabinetTamper', debounceMs: 500 })] });
  const site = await FieldSite.open({ policy });
  site.bus.input('front-io', 6, 'inactive');
  await site.clock.advance(10);
  site.news();
  for (let chatter = 0; chatter < 20; chatter++) {
    site.bus.input('front-io', 6, chatter % 2 === 0 ? 'active' : 'inactive');
    await site.clock.advance(400);
  }
  t.same(site.news(), []);
  site.bus.input('front-io', 6, 'active');
  await site.clock.advance(490);
  t.same(site.news(), []);
  site.bus.input('front-io', 6, 'active');
  await site.clock.advance(20);
  t.same(site.news(), ['cabinet.tamper'], 'repeating a state does not begin it anew');
});

t.test('the inputs of a door are debounced as well, and what a device says first counts at once', async (t) => {
  const contact = input({ id: 'store-contact', device: 'store-io', number: 0, debounceMs: 200 });
  const policy = sitePolicy();
  const site = await FieldSite.open({
    policy: {
      ...policy,
      plan: { ...policy.plan, inputs: policy.plan.inputs.map((each) => (each.id === contact.id ? contact : each)) },
    },
  });
  t.equal(site.field.snapshot().doors.find(({ id }) => id === 'store')?.physical, 'closed');
  site.news();
  site.open('store');
  await site.clock.advance(100);
  site.close('store');
  await site.clock.advance(1_000);
  t.same(site.news(), []);
  site.open('store');
  await site.clock.advance(210);
  t.same(site.news(), ['door.opened', 'door.forced']);
});
