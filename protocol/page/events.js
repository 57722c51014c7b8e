import { byId, h } from './dom.js';
import { kindOf, titleOf, whereOf, whoOf, whyOf } from './event-words.js';
import { icon } from './icons.js';
import { clockOf } from './times.js';

const ROWS_MAX = 500;
const PAGE = 100;
const FOLDED = /^(access|exit)\.(released|used|not_used|unverified|not_executed|outcome_unknown)$/;

/**
 * Newest first. What became of a grant is shown in the row of the grant. `cursor` names an event; `order` is negative where
 * its first event comes before its second, and `getOlder` gives the page before an event.
 */
export function createEventList({ catalogue, order, getOlder }) {
  const list = byId('event-list');
  const older = byId('event-older');
  const search = byId('event-search');
  const kinds = byId('event-kinds');
  const events = new Map();
  const outcomes = new Map();
  let site;
  let isScheduled = false;

  const add = (batch) => {
    for (const event of batch) {
      if (event.cause !== undefined && FOLDED.test(event.name)) {
        outcomes.set(event.cause, new Map(outcomes.get(event.cause)).set(event.name, event));
      }
      events.set(event.cursor, event);
    }
    // A page in the background draws nothing, but must not grow for days.
    for (const { cursor } of sorted().slice(ROWS_MAX)) {
      events.delete(cursor);
      outcomes.delete(cursor);
    }
    schedule();
  };

  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    window.requestAnimationFrame(() => {
      isScheduled = false;
      render();
    });
  };

  const sorted = () => [...events.values()].sort((a, b) => order(b, a));

  const render = () => {
    const wanted = kinds.querySelector(':checked').value;
    const words = search.value.trim().toLowerCase();
    const rows = sorted().filter((event) => {
      if (FOLDED.test(event.name) && events.has(event.cause)) return false;
      if (wanted === 'alarm' ? event.severity !== 'alarm' : wanted !== 'all' && kindOf(event) !== wanted) return false;
      return words === '' || textOf(event).toLowerCase().includes(words);
    });
    const clock = clockOf(site?.site?.timeZone);
    list.replaceChildren(...rows.map((event) => row(event, clock)));
    byId('event-none').hidden = rows.length > 0;
    byId('event-none').textContent = events.size === 0 ? 'No events yet.' : 'No event like that.';
  };

  const textOf = (event) =>
    [titleOf(event), whoOf(event), whereOf(event, site), whyOf(event, catalogue), event.name].join(' ');

  const row = (event, clock) => {
    const who = whoOf(event);
    const why = whyOf(event, catalogue);
    const kind = kindOf(event);
    const became = [...(outcomes.get(event.cursor)?.values() ?? [])];
    return h(
      'li',
      { class: 'event', 'data-kind': kind, 'data-severity': event.severity, 'data-name': event.name },
      icon(SIGNS[kind]),
      h(
        'div',
        { class: 'event-words' },
        h('p', { class: 'event-title' }, h('strong', {}, titleOf(event)), who === undefined ? undefined : ` ${who}`),
        h('p', { class: 'quiet' }, whereOf(event, site)),
        why === '' ? undefined : h('p', { class: 'event-why' }, why),
        became.length === 0
          ? undefined
          : h(
              'p',
              { class: 'event-became' },
              became.map((outcome) => h('span', { 'data-severity': outcome.severity }, titleOf(outcome))),
            ),
      ),
      h(
        'time',
        { datetime: new Date(event.atUnixMs).toISOString(), title: stamp(event, clock) },
        clock.time(event.atUnixMs),
        event.timeQuality === 'synced' ? undefined : h('span', { class: 'quiet' }, ' ≈'),
      ),
    );
  };

  const stamp = (event, clock) =>
    `${clock.full(event.atUnixMs)} (clock ${event.timeQuality}), entry ${event.cursor}, ${event.name}`;

  kinds.addEventListener('change', schedule);
  search.addEventListener('input', schedule);
  older.addEventListener('click', async () => {
    const oldest = sorted().at(-1);
    const batch = oldest === undefined ? [] : await getOlder(oldest, PAGE).catch(() => []);
    older.hidden = batch.length === 0 || events.size + batch.length >= ROWS_MAX;
    add(batch);
  });

  return {
    add,
    /** The newest page, at a (re)connection. */
    start(batch) {
      older.hidden = batch.length === 0;
      add(batch);
    },
    /** Whose names are shown: `{ site?: { timeZone }, doors, readers }`. */
    setSite(next) {
      const namesChanged = site === undefined || site.policy?.revision !== next.policy?.revision;
      site = next;
      if (namesChanged) schedule();
    },
    /** Those of another site follow. */
    clear() {
      events.clear();
      outcomes.clear();
      site = undefined;
      schedule();
    },
  };
}

const SIGNS = {
  granted: 'granted',
  denied: 'denied',
  alarm: 'alarm',
  exit: 'exit',
  door: 'door',
  reader: 'reader',
  info: 'info',
};
