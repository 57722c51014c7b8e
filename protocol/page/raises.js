import { operatorWords, raiseWords } from './directive-words.js';
import { h, keyed } from './dom.js';
import { ago } from './times.js';

/** What stands for the site, each with a button that ends it. `onEnd(id)`; `gatewayName`: of a public key. */
export function renderRaises(list, raises, { places, gatewayName, nowMs, mayEnd, onEnd, standsWords = () => '' }) {
  keyed(list, raises, {
    key: ({ id, what, by }) => `${id} ${what} ${by}`,
    make: ({ id }) =>
      h(
        'li',
        { class: 'site-raise' },
        h('div'),
        h('button', { type: 'button', class: 'act', onclick: () => onEnd(id) }, 'End'),
      ),
    update(item, raise) {
      const { by, onBehalfOf, gateway, atUnixMs } = raise;
      const name = raiseWords(raise, places);
      const at = gateway === undefined ? '' : ` at ${gatewayName(gateway)}`;
      const words = `${operatorWords({ name: by }, onBehalfOf)}${at}, for ${ago(nowMs - atUnixMs)}${standsWords(raise)}`;
      item.firstElementChild.replaceChildren(h('strong', {}, name), h('p', { class: 'quiet' }, words));
      item.lastElementChild.setAttribute('aria-label', `End: ${name}`);
      item.lastElementChild.disabled = !mayEnd;
    },
  });
}
