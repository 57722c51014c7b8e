import t from 'tap';
import { SITE_FILE, siteFileProblems } from '../../support/site-file.js';

/** What is said of a site file with a line more at its front door, and perhaps another replacement. */
function messagesOf(line: string, from = '', to = ''): readonly string[] {
  const text = SITE_FILE.replace('    unlockSchedule: office', `    unlockSchedule: office\n    ${line}`)
    .replace('- { id: lab-strike,', '- { id: front-bolt, device: front-io, number: 1 }\n  - { id: lab-strike,')
    .replace(from, to);
  return siteFileProblems(text);
}

t.test('shunt and double lock are outputs of their own, on the secured side unless somebody accepts it', async (t) => {
  for (const role of ['shunt', 'doubleLock']) {
    t.strictSame(messagesOf(`${role}: { output: front-bolt }`), []);
    t.match(messagesOf(`${role}: { output: nowhere }`), [/not among the outputs/]);
    t.match(messagesOf(`${role}: { output: lab-strike }`).join('\n'), /names an output that door `front` has already/);
    t.match(messagesOf(`${role}: { output: front-strike }`), [/has already/]);
    t.match(messagesOf(`${role}: { output: front-relay }`), [/on the unsecured side/]);
    t.strictSame(messagesOf(`${role}: { output: front-relay }\n    acceptUnsecuredSideRelay: true`), []);
  }
});

t.test('a mask is a schedule, and masks an alarm that there is', async (t) => {
  for (const alarm of ['heldAlarm', 'forcedAlarm']) {
    t.strictSame(messagesOf(`${alarm}Mask: office`), []);
    t.match(messagesOf(`${alarm}Mask: hours`), [/not among the schedules/]);
  }
  t.match(messagesOf('heldAlarmMask: office', 'heldAlarm: true', 'heldAlarm: false'), [/masks nothing/]);
  t.match(messagesOf('forcedAlarmMask: office\n    forcedAlarm: false'), [/masks nothing/]);
  t.match(
    messagesOf('forcedAlarm: true', '    contact: null', '    contact: null\n    heldAlarmMask: office').join('\n'),
    /needs a contact/,
  );
});

t.test('no card toggles a door of an airlock', async (t) => {
  const toggles = ['areaTo: hall', 'areaTo: hall, toggleWindowMs: 5000'] as const;
  t.strictSame(messagesOf('forcedAlarm: true', ...toggles), []);
  t.match(
    messagesOf('interlocks: [lock]', ...toggles).join('\n'),
    /toggleWindowMs would hold `front` of an airlock open/,
  );
  t.match(messagesOf('forcedAlarm: true', 'areaTo: hall', 'areaTo: hall, toggleWindowMs: 500'), [/3000/]);
});

t.test('a right to toggle needs an access point where a card can', async (t) => {
  const right = [
    'accessPoint: front-in, schedule: office',
    'accessPoint: front-in, schedule: office, may: [toggle]',
  ] as const;
  t.match(messagesOf('forcedAlarm: true', ...right), [/toggles nothing: `front-in` has no toggleWindowMs/]);
});
