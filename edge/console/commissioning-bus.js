import { h, keyed } from '../../protocol/page/dom.js';
import { TASK_TITLES } from '../../protocol/page/event-words.js';
import { icon } from '../../protocol/page/icons.js';
import { count } from '../../protocol/page/phrases.js';
import { createFoundList } from './commissioning-found.js';
import { taskProgress, taskTitle } from './commissioning-tasks.js';
import { baud, deviceName, KEY_WORDS, millis, sentence, share } from './commissioning-words.js';
import { LINK_WORDS } from './words.js';

/** A round over the readers may take this long; a plan that takes longer is refused. */
const POLL_PERIOD_MAX_MS = 1_000;
const METRICS = ['Round trip', 'Repeats', 'Silent', 'Damaged', 'Refused', 'Restarts'];

/** A card for each bus: how its line and its readers are, and what can be done with them. */
export function renderBuses(container, model, actions) {
  keyed(container, busesOf(model), {
    key: ({ id }) => id,
    make: ({ id }) => makeBus(id, actions),
    update: (card, bus) => card.update(bus, model),
  });
}

/** Buses of the gateway in their order, with the devices of the plan; the report may not be there yet. */
function busesOf({ site, view, buses }) {
  return site.buses.map(({ id, up }) => ({
    id,
    up,
    health: buses?.find((bus) => bus.id === id),
    devices: view.devices.filter(({ bus }) => bus === id).sort((a, b) => a.address - b.address),
  }));
}

function makeBus(id, actions) {
  const button = (words, onclick) => h('button', { type: 'button', class: 'act', onclick }, words);
  let line = {};
  const speed = button('Change speed', () => actions.setBusSpeed(id, line.baudRate));
  const facts = h('div', { class: 'bus-facts' });
  const findings = h('ul', { class: 'findings' });
  const news = h('div', { class: 'news bus-news' });
  const list = h('ul', { class: 'devices' });
  const none = h('p', { class: 'quiet bus-none' }, 'The plan has no reader on this bus.');
  const found = createFoundList(id, actions);
  const card = h(
    'article',
    { class: 'card bus', 'aria-labelledby': `bus-${id}` },
    h(
      'div',
      { class: 'bus-head' },
      h('h3', { id: `bus-${id}` }, id),
      facts,
      h(
        'div',
        { class: 'row-acts' },
        button('Search for readers', () => actions.discover(id, line.baudRate, line.canSetBaudRate)),
        speed,
        button('Record', () => actions.capture(id)),
      ),
    ),
    news,
    findings,
    found.element,
    h(
      'div',
      { class: 'devices-head', 'aria-hidden': 'true' },
      h('span', {}, 'Reader'),
      METRICS.map((name) => h('span', {}, name)),
    ),
    list,
    none,
  );
  card.update = (bus, model) => {
    line = bus.health ?? {};
    speed.hidden = line.canSetBaudRate === false;
    facts.replaceChildren(...factsOf(bus));
    renderFindings(findings, bus.health?.findings.filter(({ device }) => device === undefined) ?? []);
    const task = model.view.tasks.find(
      ({ kind, bus: at, device }) => at === id && device === undefined && kind !== 'discover',
    );
    renderNews(news, task, model, taskTitle);
    found.render(model);
    none.hidden = bus.devices.length > 0;
    card.querySelector('.devices-head').hidden = bus.devices.length === 0;
    keyed(list, bus.devices, {
      key: (device) => device.id,
      make: (device) => makeDevice(device, actions),
      update: (row, device) => row.update(device, bus, model),
    });
  };
  return card;
}

function factsOf({ up, health, devices }) {
  const badge = (level, words) => h('span', { class: 'badge', 'data-level': level }, words);
  const state = up ? badge('good', 'Up') : badge('bad', 'Down');
  if (health === undefined) return [state, h('span', { class: 'quiet' }, count(devices.length, 'reader'))];
  const { baudRate, predictedPollPeriodMs, pollPeriodMs, lineLoad } = health;
  const realMs = pollPeriodMs?.p99;
  const fact = (label, value, title) => h('div', { class: 'fact', title }, h('dt', {}, label), h('dd', {}, value));
  return [
    state,
    h('span', { class: 'quiet' }, baud(baudRate)),
    h(
      'dl',
      { class: 'facts' },
      fact(
        'Poll period',
        realMs === undefined ? '–' : millis(realMs),
        '99 of 100 rounds over its readers take no longer',
      ),
      fact('Predicted', millis(predictedPollPeriodMs), 'A round over its readers, by arithmetic'),
      fact('Line busy', `${Math.round(lineLoad * 100)} %`),
      h(
        'div',
        { class: 'fact fact-meter' },
        h('dt', {}, 'Of 1 s allowed'),
        h(
          'dd',
          {},
          h('meter', {
            min: '0',
            max: String(POLL_PERIOD_MAX_MS),
            low: '600',
            high: '999',
            optimum: '0',
            value: String(Math.min(realMs ?? predictedPollPeriodMs, POLL_PERIOD_MAX_MS)),
            'aria-label': 'Poll period, of one second allowed',
          }),
        ),
      ),
    ),
  ];
}

function makeDevice(device, actions) {
  let { key } = device;
  const live = h('div', { class: 'device-live' });
  const news = h('div', { class: 'news' });
  const findings = h('ul', { class: 'findings' });
  const name = `device-${device.id}`;
  const act = (words, onclick, id) =>
    h('button', { type: 'button', class: 'act', id, 'aria-labelledby': `${id} ${name}`, onclick }, words);
  const row = h(
    'li',
    { class: 'device' },
    live,
    h(
      'div',
      { class: 'row-acts' },
      act('Identify', () => actions.identify(device.id), `identify-${device.id}`),
      act('Set key', () => actions.setKey(device.id, key), `key-${device.id}`),
    ),
    findings,
    news,
  );
  row.update = (next, bus, model) => {
    ({ key } = next);
    const health = bus.health?.devices.find(({ deviceId }) => deviceId === next.id);
    live.replaceChildren(
      nameOf(next, health, model, name),
      ...metricsOf(health?.link === 'offline' ? undefined : health),
    );
    const task = model.view.tasks.find((known) => known.device === next.id);
    // A key that is being changed says so itself.
    const isKeyed = task?.kind === 'setKey' && task.state === 'running';
    const own = bus.health?.findings.filter((finding) => finding.device === next.id) ?? [];
    renderFindings(findings, isKeyed ? [] : own);
    renderNews(news, task, model, ({ kind }) => TASK_TITLES[kind]);
  };
  return row;
}

/** What became of the newest thing that was asked for here. */
function renderNews(news, task, model, titleOf) {
  news.dataset.state = task?.state ?? 'none';
  const words =
    task === undefined ? [] : [h('strong', {}, titleOf(task, model)), ...taskProgress(task, model.catalogue)];
  news.replaceChildren(...words.filter(Boolean));
}

function nameOf({ id, address, key }, health, model, nameId) {
  const { level, badge } = KEY_WORDS[key];
  const reader = model.site.readers.find(({ deviceId }) => deviceId === id);
  const link = reader?.link ?? health?.link;
  const marks = [
    h('span', { class: 'badge', 'data-level': level }, badge),
    link === undefined || link === 'online'
      ? undefined
      : h('span', { class: 'badge', 'data-level': link === 'offline' ? 'bad' : 'warn' }, LINK_WORDS[link]),
    link === 'online' && (reader ?? health).secure === false
      ? h('span', { class: 'badge', 'data-level': 'warn' }, 'Clear text')
      : undefined,
  ];
  return h(
    'div',
    { class: 'device-name' },
    h(
      'span',
      { class: 'address', title: 'Address on the bus' },
      h('span', { class: 'visually-hidden' }, 'Address '),
      String(address),
    ),
    h(
      'div',
      {},
      h('strong', { id: nameId }, deviceName(model, id)),
      h('div', { class: 'badges' }, marks.filter(Boolean), h('span', { class: 'quiet' }, id)),
    ),
  );
}

function metricsOf(health) {
  const { roundTripMs, sentCount = 0, retryCount = 0, timeoutCount = 0, badCheckCount = 0, naks = [] } = health ?? {};
  const nakCount = naks.reduce((sum, { count: times }) => sum + times, 0);
  const nakWords = naks.map(({ code, name, count: times }) => `NAK ${code} ${name}: ${times}`).join(', ');
  const values = [
    [
      roundTripMs === undefined ? '–' : millis(roundTripMs.p50),
      roundTripMs && `99 of 100 within ${millis(roundTripMs.p99)}`,
    ],
    [share(retryCount, sentCount), `${retryCount} of ${sentCount} frames were repeats`],
    [share(timeoutCount, sentCount), `${timeoutCount} of ${sentCount} frames were not answered`],
    [share(badCheckCount, sentCount), `${badCheckCount} replies had a wrong check`],
    [share(nakCount, sentCount), nakWords || 'No NAK'],
    [health === undefined ? '–' : String(health.sessionRestartCount), 'Secure sessions that broke'],
  ];
  return values.map(([value, title], index) =>
    h('dl', { class: 'metric', title }, h('dt', {}, METRICS[index]), h('dd', {}, value)),
  );
}

function renderFindings(list, findings) {
  keyed(list, findings, {
    key: ({ level, text }) => `${level} ${text}`,
    make: ({ level, text, action }) =>
      h(
        'li',
        { class: 'finding', 'data-level': level },
        icon(level === 'note' ? 'info' : 'alarm'),
        h('p', {}, h('b', {}, sentence(text)), ` ${action}`),
      ),
  });
}
