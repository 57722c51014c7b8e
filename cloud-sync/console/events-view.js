import { createEventList } from '../../protocol/page/events.js';
import { objectsOf } from './places.js';
import { get } from './session.js';

const EVENTS_AT_START = 100;

/** Events of all gateways of a site, by the time at which they happened. */
export function createEvents(catalogue) {
  let site;
  let path;
  const read = async (limit, before) => {
    const more = before === undefined ? '' : `&before=${encodeURIComponent(before)}`;
    const { events } = await get(`/events?site=${encodeURIComponent(site.id)}&limit=${limit}${more}`);
    return events.map(shownEvent);
  };
  const list = createEventList({ catalogue, order, getOlder: ({ page }, limit) => read(limit, page) });

  /** What events name by id; the newest policy that was written has the names. */
  const loadNames = async () => {
    const kinds = ['doors', 'accessPoints', 'site'];
    const [doors, points, [settings]] = await Promise.all(kinds.map((kind) => objectsOf(path, kind)));
    const readers = points.map(({ id, name, door }) => ({ accessPointId: id, name, door }));
    list.setSite({ site: settings, doors, readers });
  };

  return {
    add: (event) => list.add([shownEvent(event)]),
    async loadNewest() {
      const asked = site;
      const events = await read(EVENTS_AT_START).catch(() => undefined);
      if (events !== undefined && asked === site) list.start(events);
    },
    setSite(next, nextPath) {
      site = next;
      path = nextPath;
      list.clear();
      loadNames().catch(() => undefined);
    },
  };
}

/** In the form that pages show: named by its place in the ledger of its gateway, so that it is shown once however often it comes. */
const shownEvent = ({ cursor: page, gateway, entry, cause, ...event }) => ({
  ...event,
  page,
  cursor: `${gateway} ${entry}`,
  ...(cause !== undefined && { cause: `${gateway} ${cause}` }),
});

/** By when it happened; within a millisecond as each gateway recorded it. */
function order(a, b) {
  if (a.atUnixMs !== b.atUnixMs) return a.atUnixMs - b.atUnixMs;
  const [left, right] = [placeOf(a), placeOf(b)];
  if (left.gateway !== right.gateway) return left.gateway < right.gateway ? -1 : 1;
  return left.epoch - right.epoch || left.sequence - right.sequence;
}

function placeOf({ cursor }) {
  const [gateway, entry] = cursor.split(' ');
  const [epoch, sequence] = entry.split('.').map(Number);
  return { gateway, epoch, sequence };
}
