import { h, keyed } from '../../protocol/page/dom.js';
import { icon } from '../../protocol/page/icons.js';
import { ALARM_WORDS, CONTACT_WORDS, DIRECTION_WORDS, INDICATION_WORDS, LINK_WORDS, LOCK_WORDS } from './words.js';

const OPEN_MODES = ['released', 'unlocked', 'lockedOpen'];

/** One card a door; what `attach` returns for a door stays in its card, so that its controls keep focus and input. */
export function renderDoors(container, site, attach) {
  keyed(container, site.doors, {
    key: ({ id }) => id,
    make: (door) =>
      h(
        'article',
        { class: 'card', 'aria-labelledby': `door-${door.id}` },
        h('div', { class: 'card-live' }),
        attach(door),
      ),
    update(card, door) {
      card.dataset.mode = door.mode;
      card.dataset.alarm = door.alarm;
      const readers = site.readers.filter(({ doorId }) => doorId === door.id);
      card.firstElementChild.replaceChildren(heading(door), readerList(readers));
    },
  });
}

function heading(door) {
  const alarm = ALARM_WORDS[door.alarm];
  return h(
    'div',
    { class: 'door' },
    picture(door),
    h(
      'div',
      { class: 'door-words' },
      h('h2', { id: `door-${door.id}` }, door.name),
      h('p', { class: 'contact quiet' }, CONTACT_WORDS[door.physical]),
      alarm === undefined ? undefined : h('p', { class: 'alarm-words' }, icon('alarm'), alarm),
      door.orderedUntilUnixMs === undefined
        ? undefined
        : h('p', { class: 'quiet' }, `Ordered until ${new Date(door.orderedUntilUnixMs).toLocaleString()}`),
    ),
    h(
      'p',
      { class: 'lock', 'data-mode': door.mode },
      icon(OPEN_MODES.includes(door.mode) ? 'unlocked' : 'locked'),
      LOCK_WORDS[door.mode],
    ),
  );
}

/** A door seen from the front: the leaf stands open, ajar in doubt, or shut. */
function picture({ physical }) {
  return h(
    'div',
    { class: 'picture', 'data-physical': physical, 'aria-hidden': 'true' },
    h('div', { class: 'leaf' }, h('div', { class: 'handle' })),
  );
}

function readerList(readers) {
  return h(
    'ul',
    { class: 'readers', 'aria-label': 'Readers' },
    readers.map((reader) =>
      h(
        'li',
        { class: 'reader', 'data-link': reader.link },
        led(reader),
        h(
          'div',
          {},
          h('span', { class: 'reader-name' }, reader.name),
          h('span', { class: 'quiet' }, DIRECTION_WORDS[reader.direction]),
        ),
        h('div', { class: 'badges' }, badges(reader)),
      ),
    ),
  );
}

function led({ link, indication }) {
  const shown = link === 'online' ? indication : undefined;
  const words = INDICATION_WORDS[shown] ?? 'LED not known';
  return h('span', {
    class: 'led',
    'data-indication': shown ?? 'none',
    role: 'img',
    'aria-label': words,
    title: words,
  });
}

function badges({ link, secure, tampered, reason }) {
  const badge = (level, words, title) => h('span', { class: 'badge', 'data-level': level, title }, words);
  return [
    tampered ? badge('bad', 'Tamper') : undefined,
    link === 'online' && secure ? badge('good', 'Secure', 'OSDP Secure Channel is up') : undefined,
    link === 'online' && !secure ? badge('warn', 'Clear text', 'No OSDP Secure Channel') : undefined,
    link === 'online' ? undefined : badge(link === 'offline' ? 'bad' : 'warn', LINK_WORDS[link], reason),
  ];
}
