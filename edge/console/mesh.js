import { byId, h, keyed } from '../../protocol/page/dom.js';
import { clockOf } from '../../protocol/page/times.js';
import { meshMap, NAMED_MAX } from './mesh-map.js';
import {
  apartOf,
  FORK_WORDS,
  headlineOf,
  hearingOf,
  ledgerWords,
  memberFacts,
  nameOf,
  ownWords,
  policyWords,
  rosterWords,
} from './mesh-words.js';

/** The other gateways of the site: who hears whom, and how far each ledger is here. */
export function createMesh(catalogue) {
  const section = byId('mesh');
  let clock = clockOf();
  let mesh;
  let isShown = false;

  const renderTab = () => {
    byId('tab-mesh').hidden = mesh.state === 'off' && !isShown;
    const apartCount = apartOf(mesh).length;
    const badge = byId('mesh-heard');
    badge.hidden = apartCount === 0;
    badge.textContent = `${mesh.members.length - apartCount}/${mesh.members.length}`;
  };

  const render = () => {
    if (mesh === undefined) return;
    renderTab();
    if (!isShown) return;
    const nowMs = Date.now();
    renderHeadline(headlineOf(mesh), mesh.trouble, catalogue);
    const facts = [
      ['Own ledger', ownWords(mesh, nowMs)],
      ['Roster', rosterWords(mesh, clock, nowMs)],
      ['Policy', policyWords(mesh, catalogue, nowMs)],
      ['Listens at', mesh.listensAt.join(' and ') || undefined],
    ];
    byId('mesh-facts').replaceChildren(...factRows(facts.filter(([, words]) => words !== undefined)));
    byId('mesh-drawing').replaceChildren(mesh.members.length > 1 ? meshMap(mesh) : '');
    renderMembers(byId('mesh-members'), mesh, nowMs);
    renderNotes('mesh-forks', mesh.forks, ({ kind, first }) => [
      h('strong', {}, nameOf(mesh, first.author)),
      ` ${FORK_WORDS[kind] ?? kind}`,
      h('p', { class: 'quiet' }, 'Both histories are kept. Find out why before it is trusted again.'),
    ]);
    const others = mesh.logs.filter(({ author }) => !mesh.members.some(({ key }) => key === author));
    renderNotes('mesh-logs', others, (log) => [
      h('strong', { title: log.author }, nameOf(mesh, log.author)),
      ` ${ledgerWords(log)}`,
    ]);
    renderNotes('mesh-expelled', mesh.expelled, ({ key, name, heads }) => [
      h('strong', {}, name),
      h('p', {}, h('code', {}, key)),
      h('p', { class: 'quiet' }, `Of its ledger counts: ${ledgerWords({ heads, behindCount: 0 })}`),
    ]);
    renderNotes('mesh-operators', mesh.operators, ({ key, name, rights, untilUnixMs }) => [
      h('strong', { title: key }, name),
      ` ${rights.join(', ')}, until ${clock.full(untilUnixMs)}`,
    ]);
  };
  // Ages grow although nothing changes.
  setInterval(render, 1_000);

  return {
    setSite(site) {
      clock = clockOf(site.site?.timeZone);
    },
    setView(next) {
      mesh = next;
      render();
    },
    show(next) {
      isShown = next;
      section.hidden = !next;
      render();
    },
  };
}

function renderHeadline({ level, words }, trouble, catalogue) {
  const headline = byId('mesh-headline');
  headline.dataset.level = level;
  if (headline.textContent !== words) headline.textContent = words;
  const said = byId('mesh-trouble');
  said.hidden = trouble === undefined;
  if (trouble === undefined) return;
  const known = catalogue.errors[trouble.code];
  said.replaceChildren(
    h('p', {}, h('code', {}, trouble.code), ` ${trouble.message}`),
    known === undefined ? '' : h('p', {}, h('b', {}, 'What to do: '), known.action),
  );
}

/** One card a member; its key stays as it is, so that it can be marked and copied. */
function renderMembers(list, mesh, nowMs) {
  const isNumbered = mesh.members.length > NAMED_MAX;
  keyed(list, mesh.members, {
    key: ({ key }) => key,
    make: ({ key }) =>
      h(
        'article',
        { class: 'card mesh-member', 'aria-labelledby': `member-${key}` },
        h('div', { class: 'card-live' }),
        h('p', { class: 'mesh-key' }, h('code', {}, key)),
      ),
    update(card, member) {
      const { level, words } = hearingOf(member, mesh, nowMs);
      const number = isNumbered ? `${mesh.members.indexOf(member) + 1} ` : '';
      card.firstElementChild.replaceChildren(
        h(
          'div',
          { class: 'mesh-member-head' },
          h('h3', { id: `member-${member.key}` }, number, member.name),
          h('span', { class: 'badge', 'data-level': level }, words),
        ),
        h('dl', { class: 'mesh-facts' }, factRows(memberFacts(member, mesh))),
      );
    },
  });
}

const factRows = (facts) => facts.map(([name, words]) => h('div', {}, h('dt', {}, name), h('dd', {}, words)));

/** A card with a line for each item; without items there is no card. */
function renderNotes(id, items, words) {
  const card = byId(id);
  card.hidden = items.length === 0;
  card.querySelector('ul').replaceChildren(...items.map((item) => h('li', {}, words(item))));
}
