import t from 'tap';
import { problemsOf } from '@sparc/protocol/document';
import { validateSiteFile } from '@sparc/edge/policy';
import { edited, problemsIn, SITE_FILE } from '../../support/site-file.js';

/** What a site file can have wrong: the part that is replaced, by what, and what is said about it. */
const MISTAKES: readonly (readonly [from: string, to: string, message: RegExp, suggestion?: string])[] = [
  // schema
  ['version: 1', 'version: 2', /must be 1/],
  ['facilityCodes: [123]', 'facilityCode: [123]', /no known field/, 'facilityCodes'],
  ['number: 1, activeWhen: inactive', 'number: one', /whole number/],
  ['areaTo: hall', 'areaTo: hall, colour: red', /no known field/],
  ['pin: "4711"', 'pin: 4711', /text: put it in quotes/],
  ['pin: "4711"', 'pin: "47"', /4 to 10 digits/],
  ['from: "08:00"', 'from: "8:00"', /HH:MM/],
  ['type: failSafe', 'type: safe', /one of failSecure, failSafe/],
  ['value: 04a1b2c3d4e5f6', 'valve: 04a1b2c3d4e5f6', /no known field/, 'value'],
  ['openTimeMs: 30000', 'openTimeMs: 30', /at least 1000/],
  // ids, references, single use
  ['id: lab-io', 'id: front-io', /id that devices\[1\] has already/],
  ['address: 1', 'address: 0', /address that device `front-out`/],
  ['device: lab-io, number: 1', 'device: labio, number: 1', /not among the devices/, 'lab-io'],
  [
    'id: front-button, device: front-io, number: 1',
    'id: front-button, device: front-io, number: 0',
    /number that `front-contact`/,
  ],
  ['output: lab-strike', 'output: front-strike', /output that door `front`/],
  ['output: lab-strike', 'output: strike-9', /not among the outputs/],
  ['exitRequest: { input: front-button }', 'exitRequest: { input: front-contact }', /input that door `front`/],
  ['contact: { input: front-contact }', 'contact: { input: front-contactt }', /not among the inputs/, 'front-contact'],
  ['unlockSchedule: office', 'unlockSchedule: ofice', /not among the schedules/, 'office'],
  ['door: lab,', 'door: labb,', /not among the doors/, 'lab'],
  ['reader: lab-reader', 'reader: inner-reader', /reader that access point `front-out`/],
  ['reader: inner-reader', 'reader: inner', /not among the readers/],
  ['areaFrom: street', 'areaFrom: stret', /not among the areas/, 'street'],
  ['group: holidays', 'group: holiday', /not among the specialDayGroups/, 'holidays'],
  ['accessPoint: lab-in,', 'accessPoint: lab-inn,', /not among the accessPoints/, 'lab-in'],
  ['accessProfiles: []', 'accessProfiles: [stuff]', /not among the accessProfiles/, 'staff'],
  ['accessProfiles: []', 'accessProfiles: [staff, staff]', /profile twice/],
  ['holder: bob', 'holder: rob', /not among the credentialHolders/, 'bob'],
  ['credential: card-chief', 'credential: card-cheif', /not among the credentials/, 'card-chief'],
  ['accessPoints: [front-in]', 'accessPoints: [rear-in]', /not among the accessPoints/],
  // doors
  ['output: lab-strike', 'output: front-relay', /unsecured side.*acceptUnsecuredSideRelay/],
  ['contact: null', 'heldAlarm: true', /needs a contact/],
  ['contact: null', 'forcedAlarm: true', /needs a contact/],
  ['preAlarmTimeMs: 5000', 'preAlarmTimeMs: 30000', /less than openTimeMs/],
  ['areaTo: hall', 'areaTo: street', /areaFrom again/],
  ['areaTo: hall', 'areaTo: hall, independentEgress: true', /exits only/],
  ['reader: inner-reader, direction: exit', 'reader: front-reader, direction: exit', /exit readers are not/],
  ['door: front, reader: inner-reader', 'door: lab, reader: inner-reader', /no other way out/],
  // company and a host
  ['areaTo: hall', 'areaTo: hall, twoPersonWindowMs: 5000', /needs authentication: twoCards/],
  ['areaTo: hall', 'areaTo: hall, hostAuthorisation: { timeoutMs: 2000 }', /fallback/],
  ['areaTo: hall', 'areaTo: hall, escortRatioMax: 0', /at least 1/],
  [
    'reader: inner-reader, direction: exit',
    'reader: inner-reader, direction: exit, hostAuthorisation: { timeoutMs: 2000, fallback: deny }',
    /nobody is kept in by a host/,
  ],
  // time
  ['Europe/Berlin', 'Europe/Berlim', /no time zone/],
  ['Europe/Berlin', '"+01:00"', /no time zone/],
  ['date: 2026-12-25', 'date: 2026-02-29', /no day of the calendar/],
  ['name: Christmas }', 'name: Christmas }, { date: 2026-12-25 }', /date that days\[0\]/],
  ['from: "08:00"', 'from: "24:00"', /end of a day/],
  ['[mo, tu,', '[mo, mo,', /day twice/],
  ['windows: [] }', 'windows: [], mode: or }', /adds nothing/],
  ['windows: [] }', 'windows: [], mode: nor }', /replace/],
  ['windows: [] }', 'windows: [], during: { from: "24:00", to: "08:00" } }', /end of a day/],
  ['windows: [] }]', 'windows: [] }, { group: holidays, windows: [] }]', /is the group that specialDays\[0\]/],
  ['specialDays:', 'exceptions: [{ date: 2026-02-30, windows: [] }]\n    specialDays:', /no day of the calendar/],
  ['validTo: 2026-06-07', 'validTo: 2025-12-31', /later than validFrom/],
  ['validTo: 2026-06-07', 'validTo: 2026-06-31', /no day or time/],
  ['validFrom: 2026-01-01', 'validFrom: 2026-01-01T25:00', /no day or time/],
  // cards
  ['format: simplex-36 }', 'format: simplex-63 }', /no known card format/, 'simplex-36'],
  ['- { format: simplex-36 }', '- { format: simplex-36, facilityCodes: [256] }', /0 to 255/],
  ['number: 4567', 'number: 65536', /0 to 65535/],
  ['facility: 123, number: 4567', 'facility: 256, number: 4567', /0 to 255/],
  ['facility: 123, number: 4567', 'number: 4567', /facility of h10301 is missing/],
  ['issue: 2', 'issue: 4', /0 to 3/],
  ['number: 4567', 'number: 4567, issue: 1', /does not exist in h10301/],
  ['number: 4567', 'number: 12345678901234567890', /put it in quotes/],
  ['facility: 123, number: 1 }', 'facility: 123, number: 4567 }', /identifier that credential `card-ada`/],
  ['bits: 56, value: 04a1', 'bits: 50, value: 04a1', /does not fit in 50 bits/],
  ['format: h10301, facility: 123, number: 1 }', 'format: h10302, number: 1 }', /not among the cardFormats/],
  // doors
  ['contact: null', 'fireRelease: both', /only release of a lock that power holds/],
  ['contact: null', 'forcedAlarmLatched: true', /needs a contact/],
  ['contact: null', 'timings: { relockAfterCloseMs: 100 }', /needs a contact/],
  ['contact: null', 'interlocks: [airlock]', /needs a contact/],
  ['heldAlarm: true', 'interlocks: [airlock]', /no other door names/],
  ['heldAlarm: true', 'fireAlarms: [front-button]', /purpose is not fireAlarm/],
  ['heldAlarm: true', 'fireAlarms: [panel]', /not among the inputs/],
  [
    'areaTo: hall }',
    'areaTo: hall, scheduledAuthentication: [{ schedule: nights, authentication: cardAndPin }] }',
    /not among the schedules/,
  ],
  // emergency
  ['credential: card-chief', 'credential: card-bob', /is lost/],
  ['credential: card-chief', 'credential: card-ada', /validity/],
  ['credential: card-chief', 'credential: card-bob', /suspended/],
];

t.test('a right site file passes, with its defaults filled in', async (t) => {
  const site = validateSiteFile(SITE_FILE, 'site.yaml');
  t.equal(site.devices[0]?.secureChannel, 'required');
  t.equal(site.doors[0]?.onGatewayLoss, 'relock');
  t.equal(site.readers[0]?.number, 0);
  t.equal(site.credentials[0]?.status, 'active');
});

t.test('the same site as JSON passes and gives the same value', async (t) => {
  const site = validateSiteFile(SITE_FILE, 'site.yaml');
  t.strictSame(validateSiteFile(JSON.stringify(site, null, 1), 'site.json'), site);
});

for (const [from, to, message, suggestion] of MISTAKES) {
  t.test(`\`${to}\` instead of \`${from}\` is refused at its line`, async (t) => {
    const { text, line } = edited(SITE_FILE, from, to);
    const problems = problemsIn(text);
    const found = problems.filter((problem) => problem.line === line && message.test(problem.message));
    t.equal(found.length, 1, problems.map((problem) => `${problem.line}: ${problem.message}`).join('; '));
    t.ok(problems.every((problem) => problem.code === 'ERR_POLICY_INVALID'));
    if (suggestion !== undefined)
      t.equal(problems.find((problem) => problem.suggestion !== undefined)?.suggestion, suggestion);
  });
}

t.test('every error is shown at once, each once, in the order of the lines', async (t) => {
  const edits: readonly (readonly [string, string])[] = [
    ['facilityCodes: [123]', 'facilityCode: [123]'],
    ['address: 1', 'address: 0'],
    ['output: lab-strike', 'output: strike-9'],
    ['reader: inner-reader', 'reader: lab-reader'],
    ['date: 2026-12-25', 'date: 2026-02-29'],
    ['from: "08:00"', 'from: "24:00"'],
    ['accessPoint: lab-in,', 'accessPoint: nowhere,'],
    ['pin: "4711"', 'pin: 4711'],
    ['holder: bob', 'holder: rob'],
    ['number: 77', 'number: 1234567890123'],
  ];
  let text = SITE_FILE;
  for (const [from, to] of edits) text = edited(text, from, to).text;
  const problems = problemsIn(text);
  const lines = problems.map(({ line }) => line);
  t.strictSame(
    lines,
    [...lines].sort((a, b) => a - b),
  );
  // Of two access points at one reader, the second is refused: its line is not the one that was edited.
  const expected = edits.map(([from]) => edited(SITE_FILE, from, from).line + (from.startsWith('reader') ? 1 : 0));
  t.strictSame(lines, expected);
});

t.test('a relay on the unsecured side passes once it is accepted', async (t) => {
  const { text } = edited(
    SITE_FILE,
    'output: lab-strike, type: failSafe }',
    'output: front-relay, type: failSafe }\n    acceptUnsecuredSideRelay: true',
  );
  t.equal(problemsIn(text).length, 0);
});

t.test('the built-in schedule is not defined by a site, and needs not be', async (t) => {
  const { text, line } = edited(SITE_FILE, 'id: office', 'id: always');
  t.ok(problemsIn(text).some((problem) => problem.line === line && /built in/.test(problem.message)));
});

t.test('a document that is no site file at all is refused without an exception of another kind', async (t) => {
  for (const text of [
    '',
    'null',
    '[]',
    '42',
    'site: 1',
    'devices: {}',
    'doors: [null, 1, x]',
    '{"version":1',
    '- *x',
    '\t',
  ]) {
    t.ok(problemsIn(text).length > 0, JSON.stringify(text));
  }
});

t.test('a site file that asks more of a line than it can poll in a second is refused with the figures', async (t) => {
  const site = validateSiteFile(SITE_FILE, 'site.yaml');
  const devices = Array.from({ length: 40 }, (_, address) => ({
    ...site.devices[0],
    id: `reader-${address}`,
    address,
  }));
  const text = JSON.stringify({ ...site, devices: [...site.devices.filter(({ bus }) => bus !== 'bus-a'), ...devices] });
  const codes = (baudRate: number) => {
    try {
      validateSiteFile(text, 'site.json', [{ id: 'bus-a', baudRate }]);
      return [];
    } catch (error) {
      return problemsOf(error).filter(({ code }) => code === 'ERR_BUS_POLL_PERIOD');
    }
  };
  t.match(codes(9_600), [{ path: /^devices\[/, message: /40 devices at 9600 baud are polled every \d{4} ms/ }]);
  t.strictSame(codes(38_400), []);
});

t.test('areas nest without circles, and where people are counted their passages must show', async (t) => {
  const refused = (from: string, to: string): readonly string[] => {
    const { text, line } = edited(SITE_FILE, from, to);
    return problemsIn(text).map((problem) => `${problem.line - line} ${problem.message}`);
  };
  t.same(refused('name: Hall }', 'name: Hall, within: street }'), []);
  t.match(refused('name: Hall }', 'name: Hall, within: hall }'), [/^0 .*circle/]);
  t.match(refused('name: Hall }', 'name: Hall, within: hull }'), [/^0 .*not among the areas/]);
  t.same(refused('name: Hall }', 'name: Hall, antiPassback: { mode: hard, unknown: failSoft }, occupancyMax: 5 }'), []);
  t.match(refused('name: Hall }', 'name: Hall, antiPassback: { mode: hard } }'), [/unknown/]);

  const counting = edited(SITE_FILE, 'name: Hall }', 'name: Hall, countAnonymousExits: true }').text;
  t.same(problemsIn(counting), []);
  const quiet = edited(
    counting,
    'exitRequest: { input: front-button }',
    'exitRequest: { input: front-button, quiet: true }',
  );
  t.match(problemsIn(quiet.text), [{ message: /does not tell who leaves/ }]);

  const uncounted = 'reader: lab-reader, direction: entry,';
  t.match(refused(uncounted, `${uncounted} reuseDelayMs: 60000,`), [/^0 .*no contact/]);
  t.same(refused(uncounted, `${uncounted} reuseDelayMs: 60000, countsOnGrant: true,`), []);
});

t.test('a PIN for duress stands beside another PIN', async (t) => {
  const messages = (to: string) => problemsIn(edited(SITE_FILE, 'pin: "4711"', to).text).map(({ message }) => message);
  t.same(messages('pin: "4711"\n    duressPin: "4712"'), []);
  t.match(messages('pin: "4711"\n    duressPin: "4711"'), [/is the PIN/]);
  t.match(messages('duressPin: "4712"'), [/needs a pin/]);
});
