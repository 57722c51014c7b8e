import t from 'tap';
import { problemsOf } from '@sparc/protocol/document';
import { sitePlanOf } from '@sparc/protocol/site-check';
import { planOfGateway, validateSiteFile } from '@sparc/edge/policy';
import { SITE_FILE } from '../../support/site-file.js';

const plan = sitePlanOf(validateSiteFile(SITE_FILE, 'site.yaml'));
const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);

t.test('a gateway has the devices on its buses, and the doors whose lock they drive', async (t) => {
  const own = planOfGateway(plan, ['bus-a']);
  t.strictSame(ids(own.devices), ['front-out', 'front-io']);
  t.strictSame(ids(own.outputs), ['front-strike', 'front-relay']);
  t.strictSame(ids(own.doors), ['front']);
  t.strictSame(ids(own.accessPoints), ['front-in', 'front-out']);
  t.strictSame([own.areas, own.schedules, own.cardFormats], [plan.areas, plan.schedules, plan.cardFormats]);
});

t.test('each thing of a site belongs to exactly one of its gateways', async (t) => {
  const parts = ['bus-a', 'bus-b'].map((bus) => planOfGateway(plan, [bus]));
  for (const list of ['devices', 'readers', 'inputs', 'outputs', 'doors', 'accessPoints'] as const) {
    const own = parts.flatMap((part) => ids(part[list]));
    t.strictSame(own.sort(), ids(plan[list]).sort(), list);
  }
  t.strictSame(planOfGateway(plan, ['bus-a', 'bus-b']).doors, plan.doors);
  t.strictSame(planOfGateway(plan, []).doors, []);
});

const problemsAt = (busId: string, text: string): readonly string[] => {
  try {
    validateSiteFile(text, 'site.yaml', [{ id: busId, baudRate: 115_200 }]);
    return [];
  } catch (error) {
    return problemsOf(error).map(({ message }) => message);
  }
};

t.test('a door whose parts hang at two gateways is refused by the one that drives its lock', async (t) => {
  const cases: readonly (readonly [from: string, to: string, part: RegExp])[] = [
    ['front-button, device: front-io, number: 1', 'front-button, device: lab-io, number: 1', /exit request/],
    ['front-contact, device: front-io, number: 0', 'front-contact, device: lab-io, number: 0', /contact/],
    ['front-reader, device: front-out', 'front-reader, device: lab-io', /reader/],
  ];
  for (const [from, to, part] of cases) {
    const text = SITE_FILE.replace(from, to);
    t.match(problemsAt('bus-a', text), [part]);
    t.strictSame(problemsAt('bus-b', text), [], 'the other gateway does not drive it');
  }
  const airlock = SITE_FILE.replace('contact: null', 'contact: null\n    interlocks: [lock]').replace(
    '    heldAlarm: true',
    '    heldAlarm: true\n    interlocks: [lock]',
  );
  t.match(problemsAt('bus-a', airlock), [/door `lab` of its airlock/]);
  t.strictSame(problemsAt('bus-a', SITE_FILE), []);
});
