import { cell, policyCell, revocationCell } from '../../protocol/page/delivery-words.js';
import { byId, h, keyed } from '../../protocol/page/dom.js';
import {
  certificateCell,
  contactCell,
  emptiedWords,
  formerWords,
  headlineOf,
  queueCell,
  refusalWords,
  stateBadge,
} from './cloud-words.js';
import { get } from './session.js';

const badges = (level, all) => all.flatMap((words) => [' ', h('span', { class: 'badge', 'data-level': level }, words)]);

/** How far each gateway is, by its own ledger as far as that is in the cloud. Published is not applied. */
export function createGateways({ onView }) {
  let path;
  let gateways = [];
  let former = [];

  const render = () => {
    const nowMs = Date.now();
    const newestNumber = Math.max(0, ...gateways.map(({ policy }) => policy?.number ?? 0));
    const { level, words } = headlineOf(gateways);
    const headline = byId('gateways-headline');
    headline.dataset.level = level;
    if (headline.textContent !== words) headline.textContent = words;
    keyed(document.querySelector('#gateways tbody'), gateways, {
      key: ({ key }) => key,
      make: () => h('tr'),
      update(row, gateway) {
        const badge = stateBadge(gateway);
        row.replaceChildren(
          h(
            'th',
            { scope: 'row' },
            h('span', {}, gateway.name),
            ' ',
            h('span', { class: 'badge', 'data-level': badge.level }, badge.words),
            ...badges('bad', refusalWords(gateway, nowMs)),
            ...badges('warn', emptiedWords(gateway)),
          ),
          cell('Policy applied', policyCell(gateway, newestNumber, nowMs)),
          cell('Revocation', revocationCell(gateway, nowMs)),
          cell('Not here yet', queueCell(gateway)),
          cell('Last contact', contactCell(gateway, nowMs)),
          cell('Certificate', certificateCell(gateway, nowMs)),
        );
      },
    });
    byId('gateways-former').hidden = former.length === 0;
    byId('gateways-former').textContent =
      `No longer of this site: ${former.map((gateway) => formerWords(gateway, nowMs)).join(', ')}.`;
  };
  // Ages change without a word.
  setInterval(render, 1_000);

  const load = async () => {
    const asked = path;
    const answer = await get(`${path}/gateways`).catch(() => undefined);
    if (answer === undefined || asked !== path) return;
    ({ gateways, former } = answer);
    onView(answer);
    render();
  };

  return {
    load,
    setSite(_site, next) {
      path = next;
      gateways = [];
      former = [];
      void load();
    },
  };
}
