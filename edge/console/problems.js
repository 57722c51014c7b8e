import { h, keyed } from '../../protocol/page/dom.js';
import { titleOf } from '../../protocol/page/event-words.js';
import { icon } from '../../protocol/page/icons.js';
import { clockOf } from '../../protocol/page/times.js';
import { ALARM_WORDS, raisersOf, standingOf } from './words.js';

const STANDING_ACTIONS = {
  'fire.alarm': 'Once no fire alarm is active, `sparc mode end-fire --by NAME` ends it.',
  'fire.evacuation': '`sparc mode end-fire --by NAME` ends it.',
  'site.lockdown':
    '`sparc site release --key FILE` ends it; at a gateway that is alone, `sparc mode end-lockdown --by NAME`.',
  'site.threat_level':
    '`sparc site release --key FILE` ends it; at a gateway that is alone, `sparc mode threat-level 0 --by NAME`.',
};
const WARNING_ACTIONS = {
  'door.unsecured_side_relay': 'Drive the lock from the secured side where that is possible.',
  'door.lock_unconfirmed': 'Go and check that the door is locked; check the cable to the device that drives its lock.',
  'door.unlock_unconfirmed':
    'The door may be locked: go and let people through; check the cable to the device that drives its lock.',
  'door.held': 'Go and look, then close the door.',
  'door.output_unconfirmed': 'Check the cable to the device that drives its shunt or its second bolt.',
  'exit.fault': 'Check the wiring of the exit button and its end-of-line resistors.',
};

/** One thing that needs a person: what is known of its code, or else of `fallback`, says what it means and what to do. */
export function problemOf(catalogue, level, title, code, fallback = {}) {
  const known = catalogue.errors[code] ?? fallback;
  return {
    key: `${title} ${code}`,
    level,
    title,
    code,
    meaning: [known.meaning ?? catalogue.events[code]?.meaning, fallback.message].filter(Boolean).join(' '),
    action: known.action ?? fallback.action,
  };
}

export const worstFirst = (problems) =>
  problems.sort((a, b) => (a.level === b.level ? 0 : a.level === 'alarm' ? -1 : 1));

/** Everything of doors, readers and the gateway that needs a person, worst first. */
export function problemsOf(site, catalogue) {
  const problems = [];
  const add = (...problem) => problems.push(problemOf(catalogue, ...problem));

  const clock = clockOf(site.site?.timeZone);
  for (const { name, words, raises } of standingOf(site.mode)) {
    const level = name === 'site.threat_level' ? 'warning' : 'alarm';
    add(level, words, name, { message: raisersOf(raises, clock), action: STANDING_ACTIONS[name] });
  }
  if (!site.journal.healthy) {
    const message = site.lateRecordsCount > 0 ? `${site.lateRecordsCount} records wait.` : undefined;
    add('alarm', 'Events cannot be recorded', 'ERR_LEDGER_WRITE_FAILED', { message });
  }
  if (site.policy === undefined) add('alarm', 'Nobody can be let in by card', 'ERR_POLICY_NONE');
  if (site.clock.quality === 'stepped') {
    add('alarm', 'The clock contradicts what was known of the time', 'clock.distrusted', {
      action: 'Compare the clock of the machine with a watch, set it, and run `sparc clock accept --by NAME`.',
    });
  }
  for (const { name, alarm, physical, warnings } of site.doors) {
    const door = { action: 'Go and look, then close the door.' };
    if (alarm === 'forced') add('alarm', `${name}: ${ALARM_WORDS.forced.toLowerCase()}`, 'door.forced', door);
    if (alarm === 'held') add('alarm', `${name}: ${ALARM_WORDS.held.toLowerCase()}`, 'door.held', door);
    if (physical === 'fault') {
      add('alarm', `${name}: the contact reports a fault`, 'door.contact_fault', {
        action: 'Check the wiring of the contact and its end-of-line resistors.',
      });
    }
    for (const warning of warnings) {
      if (warning === 'door.contact_fault') continue;
      const level = catalogue.events[warning]?.severity === 'alarm' ? 'alarm' : 'warning';
      add(level, `${name}: ${titleOf({ name: warning }).toLowerCase()}`, warning, { action: WARNING_ACTIONS[warning] });
    }
  }
  for (const { id, up, error } of site.buses) {
    if (!up) add('alarm', `Bus ${id} is down`, error?.code ?? 'ERR_OSDP_LINE_DOWN', { message: error?.message });
  }
  for (const { name, link, reason, tampered } of site.readers) {
    if (reason === 'ERR_CONFIG_KEY_MISSING') {
      add('warning', `${name}: the reader waits for its key`, reason);
    } else if (link === 'offline') {
      add('alarm', `${name}: the reader does not answer`, reason ?? 'reader.offline', {
        action: 'Check its power, its cable (A, B, ground), its address and its baud rate.',
      });
    } else if (reason !== undefined) {
      add('warning', `${name}: the reader has a problem`, reason);
    }
    if (tampered) {
      add('alarm', `${name}: tamper`, 'reader.tamper', {
        action: 'Go and look at the reader, its case and its cable.',
      });
    }
  }
  for (const rule of site.suspendedRules) {
    add('warning', `Rule ${rule} is suspended`, 'linkage.suspended', {
      action: 'Look at what sets it off: an input that chatters, or rules that answer each other.',
    });
  }
  return worstFirst(problems);
}

export function renderProblems(list, problems) {
  keyed(list, problems, {
    key: ({ key, meaning }) => `${key} ${meaning}`,
    make: ({ level, title, code, meaning, action }) =>
      h(
        'li',
        { class: 'problem', 'data-level': level },
        icon('alarm'),
        h(
          'div',
          {},
          h('p', { class: 'problem-title' }, h('strong', {}, title), ' ', h('code', {}, code)),
          meaning === '' ? undefined : h('p', {}, meaning),
          action === undefined ? undefined : h('p', {}, h('b', {}, 'What to do: '), action),
        ),
      ),
  });
}
