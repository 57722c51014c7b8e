import { cell, policyCell, revocationCell } from '../../protocol/page/delivery-words.js';
import { h, keyed } from '../../protocol/page/dom.js';
import { clockCell, directivesCell, heardCell, newestCell } from './site-words.js';

/** How far each gateway is, by its own ledger. On a phone each row is a card, with the head of its column in it. */
export function renderDelivery(section, { isComplete, gateways }, nowMs) {
  section.querySelector('#site-reading').hidden = isComplete;
  const newestNumber = Math.max(...gateways.map(({ policy }) => policy?.number ?? 0));
  keyed(section.querySelector('tbody'), gateways, {
    key: ({ key }) => key,
    make: () => h('tr'),
    update(row, gateway) {
      const heard = heardCell(gateway);
      row.replaceChildren(
        h(
          'th',
          { scope: 'row' },
          h('span', {}, gateway.name),
          ' ',
          h('span', { class: 'badge', 'data-level': heard.level }, heard.words),
        ),
        cell('Policy', policyCell(gateway, newestNumber, nowMs)),
        cell('Revocation', revocationCell(gateway, nowMs)),
        cell('Directives', directivesCell(gateway, nowMs)),
        cell('Clock', clockCell(gateway)),
        cell('Newest entry here', newestCell(gateway, nowMs)),
      );
    },
  });
}
