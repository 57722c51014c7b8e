import { byId, h } from '../../protocol/page/dom.js';
import { createAwaited } from './awaited.js';
import { createEnrolment } from './enrolment.js';
import { createEvents } from './events-view.js';
import { createGateways } from './gateways.js';
import { createPeople } from './people.js';
import { createPolicy } from './policy.js';
import { get, identity, login, logout, stream, whenEnded } from './session.js';
import { createSite } from './site.js';
import { createUsers } from './users.js';

const VIEWS = ['gateways', 'site', 'people', 'policy', 'events-view', 'users'];
const RETRY_MS = 2_000;

let catalogue;
let site;
let following;
let views;

whenEnded(showLogin);
window.addEventListener('hashchange', showView);
byId('logout').addEventListener('click', () => void logout());
byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new window.FormData(event.target));
  void tried(async () => {
    await login(name, password);
    event.target.reset();
    await enter();
  });
});
byId('site-choice').addEventListener('change', ({ target }) => choose(target.value));

if (identity() === undefined) showLogin();
else await tried(enter);

function showLogin() {
  following?.abort();
  site = undefined;
  views?.users.setIdentity(undefined);
  document.body.dataset.role = 'nobody';
  for (const view of [...VIEWS, 'awaited']) byId(view).hidden = true;
  for (const part of [document.querySelector('.tabs'), byId('state'), byId('logout'), byId('site-choice')]) {
    part.hidden = true;
  }
  byId('site-name').textContent = 'SPARC cloud';
  byId('who').textContent = '';
  byId('login').hidden = false;
}

async function enter() {
  const { name, role, tenantName } = identity();
  catalogue ??= await get('/catalogue');
  views ??= createViews();
  const { sites } = await get('/sites');
  document.body.dataset.role = role;
  byId('login').hidden = true;
  byId('logout').hidden = false;
  byId('who').textContent = `${tenantName} · ${name}, ${role}`;
  views.users.setIdentity(identity());
  byId('site-choice').hidden = sites.length < 2;
  byId('site-choice').replaceChildren(...sites.map(({ id, name: words }) => h('option', { value: id }, words)));
  if (sites.length === 0) {
    refuse({ message: 'This tenant has no site yet.', action: 'Make one: sparc-cloud site create.' });
    return;
  }
  views.sites = sites;
  choose(sites[0].id);
}

function createViews() {
  const onDraft = (count) => {
    byId('draft-count').hidden = count === 0;
    byId('draft-count').textContent = String(count);
  };
  const policy = createPolicy({ tried, say, onDraft, onPublished: () => gateways.load() });
  const gateways = createGateways({
    onView(next) {
      policy.setGateways(next.gateways);
      enrolment.setGateways(next.gateways);
      sitePage.setView(next);
    },
  });
  const enrolment = createEnrolment({ tried, say, onChange: refresh });
  const awaited = createAwaited({ catalogue, tried, say, words: () => sitePage.words() });
  const sitePage = createSite({ catalogue, tried, say, awaited });
  return {
    gateways,
    enrolment,
    policy,
    awaited,
    site: sitePage,
    people: createPeople({ tried, say, give: awaited.give, onChange: policy.load }),
    events: createEvents(catalogue),
    users: createUsers({ tried, say }),
  };
}

function choose(id) {
  site = views.sites.find((one) => one.id === id);
  byId('site-name').textContent = site.name;
  document.title = `${site.name} – SPARC cloud`;
  document.querySelector('.tabs').hidden = false;
  byId('state').hidden = false;
  const path = `/sites/${encodeURIComponent(site.id)}`;
  for (const view of [
    views.awaited,
    views.policy,
    views.enrolment,
    views.gateways,
    views.site,
    views.people,
    views.events,
  ]) {
    view.setSite(site, path);
  }
  showView();
  following?.abort();
  following = new window.AbortController();
  void follow(following.signal);
}

/** The site is another one than when it was read. */
async function refresh() {
  ({ sites: views.sites } = await get('/sites'));
  choose(site.id);
}

/** What arrives at the cloud, as it arrives; what was missed while the stream was down is read when it stands again. */
async function follow(signal) {
  while (!signal.aborted) {
    await stream(`/events/stream?site=${encodeURIComponent(site.id)}`, {
      signal,
      onOpen() {
        live(true);
        void views.gateways.load();
        void views.policy.load();
        void views.events.loadNewest();
      },
      onMessage(event, data) {
        if (event === 'event') views.events.add(data);
        else if (event === 'state') void views.gateways.load();
        else if (event === 'missed') void views.events.loadNewest();
      },
    }).catch(() => undefined);
    if (signal.aborted) return;
    live(false);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function live(isLive) {
  byId('state').dataset.level = isLive ? 'good' : 'bad';
  byId('state').textContent = isLive ? 'Live' : 'Not live';
}

/** The address says which view is shown, so that it can be kept, sent and gone back from. */
function showView() {
  if (site === undefined) return;
  const asked = location.hash.slice(1);
  const isOffered = asked !== 'users' || identity().role === 'administrator';
  const shown = VIEWS.includes(asked) && isOffered ? asked : VIEWS[0];
  for (const view of VIEWS) byId(view).hidden = view !== shown;
  for (const tab of document.querySelectorAll('.tabs a')) {
    if (tab.hash === `#${shown}`) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
}

/** What a person asked for; a refusal is shown to them. Resolves with whether it was done. */
async function tried(act) {
  refuse(undefined);
  try {
    await act();
    return true;
  } catch (error) {
    refuse(error);
    return false;
  }
}

function refuse(error) {
  const said = byId('refused');
  said.hidden = error === undefined;
  if (error === undefined) return;
  const { code, message, action, problems = [] } = error;
  said.replaceChildren(
    h('p', {}, code === undefined ? undefined : h('code', {}, code), ` ${message}`),
    problems.length === 0
      ? ''
      : h(
          'ul',
          {},
          problems.map((problem) => h('li', {}, problemWords(problem))),
        ),
    action === undefined ? '' : h('p', {}, h('b', {}, 'What to do: '), action),
  );
}

const problemWords = (problem) => (typeof problem === 'string' ? problem : `${problem.path ?? ''} ${problem.message}`);

/** Aloud, for whoever does not see it. */
function say(words) {
  byId('announcer').textContent = words;
}
