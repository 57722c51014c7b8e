import { ask } from '../../protocol/page/dialogs.js';
import { byId, h, keyed } from '../../protocol/page/dom.js';
import { cardFields, cardOf, cardWords, idOf, personFields } from './person-form.js';
import { call, get } from './session.js';

const PAGE = 50;
const SEARCH_PAUSE_MS = 250;

/** People and their cards, as they are saved: what is published, and who has applied it, the other views say. */
export function createPeople({ tried, say, give, onChange }) {
  const list = byId('people-list');
  const search = byId('people-search');
  const more = byId('people-more');
  let path;
  let people = [];
  let next;
  let searchTimer;
  /** Of a site: what a card may be of, and what it may open. */
  let choices = { profiles: [], formats: [] };

  byId('person-add').addEventListener('click', () => void add());
  more.addEventListener('click', () => void load(next));
  search.addEventListener('input', () => {
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => void load(), SEARCH_PAUSE_MS);
  });

  const objects = (kind, query = '') => get(`${path}/policy/objects/${kind}${query}`);
  const objectPath = (kind, id) => `${path}/policy/objects/${kind}/${encodeURIComponent(id)}`;

  async function load(after) {
    const asked = `${path} ${search.value}`;
    const words = search.value.trim();
    const query = new window.URLSearchParams({ limit: PAGE, ...(words && { search: words }), ...(after && { after }) });
    await tried(async () => {
      const answer = await objects('credentialHolders', `?${query}`);
      if (asked !== `${path} ${search.value}`) return;
      people = after === undefined ? answer.objects : [...people, ...answer.objects];
      next = answer.next;
      render();
    });
  }

  async function loadChoices() {
    const [profiles, formats] = await Promise.all([objects('accessProfiles', '?limit=500'), objects('cardFormats')]);
    choices = {
      profiles: profiles.objects.map(({ body }) => body),
      formats: formats.objects.flatMap(({ body }) => body),
    };
  }

  function render() {
    more.hidden = next === undefined;
    byId('people-none').hidden = people.length > 0;
    keyed(list, people, { key: ({ id, version }) => `${id} ${version}`, make: row });
  }

  function row(person) {
    const { id, body } = person;
    const cards = h('div', { class: 'cards' });
    const details = h(
      'details',
      {
        class: 'person',
        ontoggle: () => details.open && void tried(async () => showCards(person, cards)),
      },
      h(
        'summary',
        {},
        h('strong', {}, body.name),
        h('span', { class: 'quiet' }, id),
        body.status === 'active' ? undefined : h('span', { class: 'badge', 'data-level': 'bad' }, body.status),
      ),
      cards,
    );
    return h('li', {}, details);
  }

  async function showCards(person, cards) {
    const { id, body, revokedBy } = person;
    const { objects: held } = await objects('credentials', `?${new window.URLSearchParams({ holder: id })}`);
    const names = new Map(choices.profiles.map(({ id: profile, name }) => [profile, name]));
    cards.replaceChildren(
      h(
        'ul',
        {},
        held.map((card) => cardRow(card, names, () => showCards(person, cards))),
      ),
      held.length === 0 ? h('p', { class: 'quiet' }, 'No card.') : '',
      h(
        'button',
        { type: 'button', class: 'act', onclick: () => void addCard(person, held, cards) },
        `Add a card for ${body.name}…`,
      ),
      revokedBy === undefined ? '' : letInButton(person, () => load()),
    );
  }

  function cardRow(card, names, refresh) {
    const { level, words } = cardWords(card, names);
    return h(
      'li',
      { class: 'person-card' },
      h(
        'div',
        {},
        h('span', {}, card.id, ' ', h('span', { class: 'badge', 'data-level': level }, card.body.status)),
        h('p', { class: 'quiet' }, words),
      ),
      actOf(card, refresh),
    );
  }

  /** What can be done with a card. */
  function actOf(card, refresh) {
    if (card.revokedBy !== undefined) return letInButton(card, refresh);
    if (card.body.status !== 'active') return '';
    const onclick = () => void revokeCard(card, refresh);
    const revoke = h('button', { type: 'button', class: 'act danger', onclick }, 'Revoke…');
    revoke.setAttribute('aria-label', `Revoke ${card.id}…`);
    return revoke;
  }

  function letInButton(revoked, refresh) {
    const button = h(
      'button',
      { type: 'button', class: 'act', onclick: () => void letIn(revoked, refresh) },
      'Let in again…',
    );
    button.setAttribute('aria-label', `Let ${revoked.id} in again…`);
    return button;
  }

  async function add() {
    const answer = await ask({
      title: 'Add a person',
      text: 'They are saved. Their card opens doors once the policy is published and the gateways have applied it.',
      fields: [...personFields(), ...cardFields(choices)],
      go: 'Save',
    });
    if (answer === undefined) return;
    const [name] = answer.name;
    const holder = { id: answer.id[0] || idOf(name), name, status: 'active' };
    await saved(`${name} is saved, not published.`, async () => {
      await call('PUT', objectPath('credentialHolders', holder.id), { body: holder });
      await saveCard(`card-${holder.id}`, holder.id, answer);
    });
    search.value = name;
    await load();
  }

  async function addCard(person, held, cards) {
    const { id, body } = person;
    const answer = await ask({ title: `A card for ${body.name}`, fields: cardFields(choices), go: 'Save' });
    if (answer === undefined) return;
    const ids = new Set(held.map((card) => card.id));
    let number = held.length + 1;
    while (ids.has(`card-${id}-${number}`)) number += 1;
    await saved('The card is saved, not published.', () => saveCard(`card-${id}-${number}`, id, answer));
    await showCards(person, cards);
  }

  const saveCard = (id, holder, answer) =>
    call('PUT', objectPath('credentials', id), { body: cardOf(id, holder, answer) });

  /** No revision waits for it: gateways hear of it at once. */
  async function revokeCard({ id }, refresh) {
    const answer = await ask({
      title: `Revoke ${id}?`,
      text: 'It opens nothing any more on every gateway that hears of it, at once and for good. Nothing has to be published.',
      go: 'Revoke',
      level: 'danger',
    });
    if (answer === undefined) return;
    await give(() => call('POST', `${path}/policy/credentials/${encodeURIComponent(id)}/revoke`, { body: {} }));
    await onChange();
    await tried(refresh);
  }

  /** Of a card, or of a person: as it was read, but active. */
  async function letIn({ kind, id, version, body, revokedBy }, refresh) {
    const answer = await ask({
      title: `Let ${id} in again?`,
      text: `Revoked by ${revokedBy}. Doors open again once the policy is published and the gateways have applied it.`,
      go: 'Let in',
      level: 'danger',
    });
    if (answer === undefined) return;
    await saved(`${id} is let in again: saved, not published.`, () =>
      call('PUT', `${objectPath(kind, id)}?reinstate=true`, { version, body: { ...body, status: 'active' } }),
    );
    await tried(refresh);
  }

  async function saved(words, act) {
    if (await tried(act)) say(words);
    await onChange();
  }

  return {
    setSite(_site, nextPath) {
      path = nextPath;
      people = [];
      search.value = '';
      void load();
      void tried(loadChoices);
    },
  };
}
