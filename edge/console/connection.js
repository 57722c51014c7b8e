const RETRY_MS = 2_000;
const HEALTH_POLL_MS = 5_000;

async function json(path) {
  const response = await fetch(path);
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.message), body);
  return body;
}

export const getCatalogue = () => json('/api/catalogue');
export const getNewest = (limit) => json(`/api/events?limit=${limit}`).then(({ events }) => events);
export const getOlder = ({ cursor }, limit) =>
  json(`/api/events?before=${encodeURIComponent(cursor)}&limit=${limit}`).then(({ events }) => events);

/** Negative where `a` was recorded before `b`. */
export function recordedOrder(a, b) {
  const [left, right] = [a.cursor.split('.').map(Number), b.cursor.split('.').map(Number)];
  return left[0] - right[0] || left[1] - right[1];
}

/** Doors, areas, profiles, formats of cards and buses of the whole site, as the policy in force has them. */
export const getPlaces = () => json('/api/places');

/**
 * Follows the live stream for ever. After each (re)connection `onOpen` fetches what was missed; `onProblem` gets a
 * code, message and action while the page shows something old, and undefined when it is current again.
 */
export function follow({ onOpen, onSite, onEvent, onCommissioning, onMesh, onDelivery, onProblem }) {
  let source;
  let problem;
  const report = (next) => {
    if (next?.code === problem?.code) return;
    problem = next;
    onProblem(next);
  };
  const connect = () => {
    source = new EventSource('/api/stream');
    source.addEventListener('open', () => {
      report(undefined);
      onOpen();
    });
    source.addEventListener('site', ({ data }) => onSite(JSON.parse(data)));
    source.addEventListener('commissioning', ({ data }) => onCommissioning(JSON.parse(data)));
    source.addEventListener('mesh', ({ data }) => onMesh(JSON.parse(data)));
    source.addEventListener('delivery', ({ data }) => onDelivery(JSON.parse(data)));
    source.addEventListener('event', ({ data }) => onEvent(JSON.parse(data)));
    source.addEventListener('error', () => {
      void explain();
      // A browser gives up where the answer was an error; a dropped connection it retries itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    });
  };
  const explain = async () => {
    try {
      await json('/healthz');
      if (source.readyState === EventSource.OPEN) report(undefined);
    } catch (error) {
      report(
        error.code === undefined
          ? {
              code: 'OFFLINE',
              message: 'This page has lost its gateway.',
              action: 'Doors go on by themselves. It reconnects when the gateway can be reached.',
            }
          : error,
      );
    }
  };
  connect();
  setInterval(() => void explain(), HEALTH_POLL_MS);
}
