import { byId, h } from '../../protocol/page/dom.js';
import { titleOf, whereOf } from '../../protocol/page/event-words.js';
import { createEventList } from '../../protocol/page/events.js';
import { ago, clockOf } from '../../protocol/page/times.js';
import { createCommissioning } from './commissioning.js';
import { follow, getCatalogue, getNewest, getOlder, recordedOrder } from './connection.js';
import { renderDoors } from './doors.js';
import { meshProblemsOf } from './mesh-problems.js';
import { createMesh } from './mesh.js';
import { problemsOf, renderProblems, worstFirst } from './problems.js';
import { createSimulator } from './simulator.js';
import { siteProblemsOf } from './site-problems.js';
import { createSite } from './site.js';
import { CLOCK_WORDS, standingOf } from './words.js';

const EVENTS_AT_START = 100;

const catalogue = await untilServed(getCatalogue);
const events = createEventList({ catalogue, order: recordedOrder, getOlder });
const simulator = createSimulator();
const commissioning = createCommissioning(catalogue);
const meshPage = createMesh(catalogue);
let site;
let mesh;
let delivery;
let places;
const sitePage = createSite(catalogue, { onPlaces: (next) => (places = next) });
let trouble;
let timeQuality = 'synced';

follow({
  onOpen() {
    getNewest(EVENTS_AT_START).then(
      (batch) => {
        timeQuality = batch.at(-1)?.timeQuality ?? timeQuality;
        events.start(batch);
      },
      () => undefined,
    );
  },
  onSite(next) {
    site = next;
    simulator.connect(site.simulatorUrl);
    events.setSite(site);
    commissioning.setSite(site);
    meshPage.setSite(site);
    sitePage.setSite(site);
    render();
  },
  onEvent(event) {
    events.add([event]);
    timeQuality = event.timeQuality;
    if (event.severity === 'alarm') byId('announcer').textContent = `${titleOf(event)}: ${whereOf(event, site)}`;
  },
  onCommissioning: commissioning.setView,
  onMesh(next) {
    mesh = next;
    meshPage.setView(mesh);
    sitePage.setMesh(mesh);
    renderState();
  },
  onDelivery(next) {
    delivery = next;
    sitePage.setDelivery(delivery);
  },
  onProblem(problem) {
    trouble = problem;
    render();
  },
});
// Ages and what has settled change without a word.
setInterval(() => {
  renderFacts();
  renderState();
}, 1_000);
window.addEventListener('hashchange', showView);
showView();

/** The address says which view is shown, so that it can be kept, sent and gone back from. */
function showView() {
  const view = ['#commissioning', '#mesh', '#site'].includes(location.hash) ? location.hash : '#doors-and-events';
  byId('doors-and-events').hidden = view !== '#doors-and-events';
  commissioning.show(view === '#commissioning');
  meshPage.show(view === '#mesh');
  sitePage.show(view === '#site');
  for (const tab of document.querySelectorAll('.tabs a')) mark(tab, tab.getAttribute('href') === view);
  renderState();

  function mark(tab, isCurrent) {
    if (isCurrent) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
}

function render() {
  renderState();
  if (site === undefined) return;
  const name = site.site?.name ?? site.gateway.name;
  document.title = `${name} – SPARC gateway`;
  byId('site-name').textContent = name;
  renderFacts();
  renderDoors(byId('doors'), site, simulator.panel);
  simulator.update(site);
}

function renderState() {
  const known = site !== undefined && mesh !== undefined;
  const ofMesh = known ? meshProblemsOf(mesh, catalogue, site.gateway.startedAtUnixMs, Date.now()) : [];
  const ofSite = known && delivery !== undefined ? siteProblemsOf(delivery, places, catalogue, Date.now()) : [];
  const problems = site === undefined ? [] : worstFirst([...problemsOf(site, catalogue), ...ofMesh, ...ofSite]);
  const state = byId('state');
  const alarms = problems.filter(({ level }) => level === 'alarm').length;
  const untrue = [];
  if (trouble !== undefined) {
    const { code, message, action } = trouble;
    untrue.push({ key: 'trouble', level: 'alarm', title: 'What you see is old', code, meaning: message, action });
  }
  // Whoever commissions has what is wrong with readers beside them, and no room for doors.
  const ofView = { '#commissioning': [], '#mesh': ofMesh, '#site': ofSite }[location.hash] ?? problems;
  const shown = [...untrue, ...ofView];
  renderProblems(byId('problem-list'), shown);
  byId('problems').hidden = shown.length === 0;
  document.body.dataset.stale = String(trouble !== undefined);
  if (trouble !== undefined) show('bad', 'Not live');
  else if (site === undefined) show('waiting', 'Connecting…');
  else if (alarms > 0) show('bad', alarms === 1 ? '1 problem' : `${alarms} problems`);
  else if (problems.length > 0) show('warn', problems.length === 1 ? '1 warning' : `${problems.length} warnings`);
  else show('good', 'All well');

  function show(level, words) {
    if (state.textContent === words && state.dataset.level === level) return;
    state.dataset.level = level;
    state.textContent = words;
  }
}

function renderFacts() {
  if (site === undefined) return;
  const { policy, gateway, revocation, clock: siteClock } = site;
  const nowMs = Date.now();
  const since = (ms) => (ms <= nowMs ? ` for ${ago(nowMs - ms)}` : '');
  byId('site-facts').replaceChildren(
    'Gateway ',
    h('b', { title: `public key ${gateway.publicKey}` }, gateway.name),
    `, up${since(gateway.startedAtUnixMs)} · `,
    ...(policy === undefined
      ? ['no policy']
      : [
          'Policy ',
          h('code', { title: policy.revision }, policy.revision.slice(0, 8)),
          ` in force${since(policy.appliedAtUnixMs)}, confirmed ${ago(nowMs - policy.confirmedAtUnixMs)} ago`,
        ]),
    ...(revocation.appliedAtUnixMs === undefined
      ? []
      : [
          ' · Revocation ',
          h('b', { title: 'the newest that this gateway applied' }, String(revocation.number)),
          ` in force${since(revocation.appliedAtUnixMs)}`,
        ]),
    ...standingOf(site.mode).flatMap(({ words }) => [' · ', h('b', {}, words)]),
    ...(siteClock.quality === 'synced' ? [] : [' · ', h('b', {}, CLOCK_WORDS[siteClock.quality])]),
  );
  const clock = clockOf(site.site?.timeZone);
  byId('site-time').textContent = `${clock.day(nowMs)} ${clock.time(nowMs)}`;
  byId('clock-note').hidden = timeQuality === 'synced';
  byId('site-time').title = `Time at the site, ${site.site?.timeZone ?? 'zone not known'}`;
}

async function untilServed(get) {
  for (;;) {
    try {
      return await get();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}
