import { h, keyed } from '../../protocol/page/dom.js';
import { count } from '../../protocol/page/phrases.js';
import { cancelButton, taskProgress } from './commissioning-tasks.js';
import { baud, deviceName } from './commissioning-words.js';

const searchOf = (busId, view) => view.tasks.find(({ kind, bus }) => kind === 'discover' && bus === busId);

/** Devices of the plan that the newest search of their bus did not find and that no session holds. */
export function missingDevices(busId, { view, site }) {
  const found = searchOf(busId, view)?.found ?? [];
  const isOnline = (id) => site.readers.some(({ deviceId, link }) => deviceId === id && link === 'online');
  return view.devices.filter(
    ({ id, bus }) => bus === busId && !found.some(({ device }) => device === id) && !isOnline(id),
  );
}

const keyOf = ({ device }, { view }) => view.devices.find(({ id }) => id === device)?.key;

/** Where the plan has it, at the speed of its bus. */
function isPlaced({ device, baudRate, conflict }, busId, { buses }) {
  const busRate = buses?.find(({ id }) => id === busId)?.baudRate ?? baudRate;
  return device !== undefined && !conflict && baudRate === busRate;
}

/** Nothing is left to be done about it. */
const isSettled = (device, busId, model) => isPlaced(device, busId, model) && keyOf(device, model) === 'proven';

/** The newest task comes first. */
function isMovedSince(search, { tasks }) {
  const newer = tasks.slice(0, tasks.indexOf(search));
  return newer.some(
    ({ kind, bus, state }) =>
      bus === search.bus && state === 'done' && (kind === 'setAddress' || kind === 'setBusSpeed'),
  );
}

/** What the newest search of a bus found, and what can be done with it. */
export function createFoundList(busId, actions) {
  const title = h('h4');
  const progress = h('div', { class: 'found-progress' });
  const stop = h('div');
  const list = h('ul', { class: 'found-list' });
  const inPlace = h('p', { class: 'found-note quiet' });
  const missing = h('p', { class: 'found-note' });
  const stale = h('p', { class: 'found-note' }, 'An address was changed after this search: search again.');
  const element = h('section', { class: 'found', hidden: true, 'aria-label': `Search on ${busId}` });
  element.append(h('div', { class: 'found-head' }, title, stop), progress, stale, list, inPlace, missing);

  const render = (model) => {
    const task = searchOf(busId, model.view);
    element.hidden = task === undefined;
    if (task === undefined) return;
    const found = task.found ?? [];
    const isRunning = task.state === 'running';
    title.textContent = `${isRunning ? 'Searching' : 'Last search'}: ${count(found.length, 'device')} found`;
    if (stop.dataset.task !== task.id) {
      stop.dataset.task = task.id;
      stop.replaceChildren(cancelButton(task.id, actions));
    }
    stop.hidden = !isRunning;
    progress.replaceChildren(...taskProgress(task, model.catalogue).filter(Boolean));
    const absent = missingDevices(busId, model);
    stale.hidden = !isMovedSince(task, model.view);
    missing.hidden = isRunning || !stale.hidden || absent.length === 0;
    const names = absent.map(({ id, address }) => `${deviceName(model, id)} (address ${address})`).join('; ');
    missing.replaceChildren(
      h('b', {}, 'Not found: '),
      `${names}. Check power and cable, or move one of the devices above there.`,
    );
    const settled = found.filter((device) => isSettled(device, busId, model));
    inPlace.hidden = settled.length === 0;
    inPlace.textContent = `In place: ${settled.map(({ device }) => deviceName(model, device)).join('; ')}.`;
    const open = found.filter((device) => !settled.includes(device));
    keyed(list, open, {
      key: ({ address, baudRate }) => `${address} ${baudRate}`,
      make: () =>
        h('li', { class: 'found-device' }, h('div', { class: 'found-words' }), h('div', { class: 'row-acts' })),
      update: (row, device) => update(row, device, model),
    });
  };

  const update = (row, device, model) => {
    const [words, acts] = row.children;
    row.dataset.conflict = String(device.conflict);
    words.replaceChildren(...describe(device, model));
    const wanted = actsOf(device, model);
    // Buttons that are the same stay, with the focus that may be on them.
    const signature = [device.device, keyOf(device, model), ...wanted.map(([label]) => label)].join();
    if (acts.dataset.signature === signature) return;
    acts.dataset.signature = signature;
    acts.replaceChildren(
      ...wanted.map(([label, onclick]) => h('button', { type: 'button', class: 'act', onclick }, label)),
    );
  };

  const actsOf = (device, model) => {
    if (device.conflict) return [];
    const acts = [['Identify', () => actions.identifyFound(busId, device)]];
    if (!isPlaced(device, busId, model)) acts.push(['Set address', () => actions.setAddress(busId, device)]);
    const key = keyOf(device, model);
    if (key === 'none' || key === 'lost') acts.push(['Set key', () => actions.setKey(device.device, key)]);
    return acts;
  };

  return { element, render };
}

function describe({ address, baudRate, pdid, conflict, secureChannel, defaultKey, device }, model) {
  const badge = (level, words) => h('span', { class: 'badge', 'data-level': level }, words);
  const marks = [
    conflict ? badge('bad', 'Two at this address') : undefined,
    device === undefined ? undefined : badge('good', deviceName(model, device)),
    device === undefined && !conflict ? badge('warn', 'Not in the plan') : undefined,
    defaultKey ? badge('waiting', 'Waits for its key') : undefined,
    secureChannel === false ? badge('bad', 'No Secure Channel') : undefined,
  ];
  return [
    h(
      'p',
      { class: 'found-title' },
      h('b', {}, `Address ${address}`),
      h('span', { class: 'quiet' }, baud(baudRate)),
      ...marks.filter(Boolean),
    ),
    h('p', { class: 'quiet' }, conflict ? 'Unplug one of them, then search again.' : identityWords(pdid)),
  ];
}

function identityWords(pdid) {
  if (pdid === undefined) return 'It answers, but does not say in clear what it is.';
  const { vendor, model, version, serial, firmware } = pdid;
  return `Vendor ${vendor} · model ${model}.${version} · serial ${serial} · firmware ${firmware}`;
}
