import { renderAnswers } from '../../protocol/page/answers.js';
import { RIGHT_OF, standingOfSite } from '../../protocol/page/directive-words.js';
import { byId, h } from '../../protocol/page/dom.js';
import { askRelease, createOrders } from '../../protocol/page/orders.js';
import { renderRaises } from '../../protocol/page/raises.js';
import { createCloudOperator } from './cloud-operator.js';
import { standsWords, unheardWords } from './cloud-words.js';
import { NO_PLACES, placesOf } from './places.js';
import { call } from './session.js';

/** The authority of the site does these itself: on the card of a person, and beside the gateways. */
const OF_AUTHORITY = ['revoke', 'expel'];
const NOTHING = { gateways: [], former: [], raises: [], directives: [] };
const KEY_START = 8;

/** What stands for a site, what was directed, and orders on behalf of whoever is logged in. `awaited`: what was directed last. */
export function createSite({ catalogue, tried, say, awaited }) {
  let path;
  let view = NOTHING;
  let places = NO_PLACES;

  const operator = createCloudOperator({ tried, say, onChange: render });
  const model = () => ({ places, raises: view.raises });
  const orders = createOrders(model)
    .filter(({ kind }) => !OF_AUTHORITY.includes(kind))
    .map(({ kind, words, level, ask }) => ({ kind, button: orderButton(words, level, ask) }));
  const endAll = orderButton('End all', undefined, () => askRelease(view.raises, model()));
  // Ages change without a word.
  setInterval(render, 1_000);

  function orderButton(words, level, askWhat) {
    const button = h('button', { type: 'button', class: level, onclick: () => void order(askWhat) }, words);
    byId('site-orders').append(button);
    return button;
  }

  async function order(askWhat) {
    const content = await askWhat();
    if (content !== undefined) await awaited.give(() => call('POST', `${path}/orders`, { body: content }));
  }

  const gatewayName = (key) =>
    [...view.gateways, ...view.former].find((one) => one.key === key)?.name ?? `${key.slice(0, KEY_START)}…`;
  const mayNow = (kind) => operator.has(RIGHT_OF[kind]);

  function render() {
    const nowMs = Date.now();
    const { gateways, raises, directives } = view;
    byId('site-standing').hidden = raises.length === 0;
    byId('site-standing').textContent = String(raises.length);
    const { level, words } = standingOfSite(view);
    const headline = byId('site-headline');
    headline.dataset.level = level;
    if (headline.textContent !== words) headline.textContent = words;
    byId('site-unheard').textContent = unheardWords(gateways, nowMs);
    byId('site-orders').hidden = !operator.isLet;
    for (const { kind, button } of orders) button.disabled = !mayNow(kind);
    endAll.disabled = !mayNow('release') || raises.length === 0;
    operator.render(places);
    const named = { places, gatewayName, nowMs };
    renderRaises(byId('site-raises'), raises, {
      ...{ ...named, mayEnd: mayNow('release'), standsWords: (raise) => standsWords(raise, gateways) },
      onEnd: (id) =>
        void order(() =>
          askRelease(
            view.raises.filter((raise) => raise.id === id),
            model(),
          ),
        ),
    });
    // What is looked at already is not told twice.
    const others = directives.filter(({ id }) => id !== awaited.directive());
    byId('site-answers').hidden = others.length === 0 && directives.length > 0;
    byId('site-answers-none').hidden = directives.length > 0;
    renderAnswers(byId('site-answers').querySelector('ol'), others, { catalogue, ...named });
  }

  return {
    /** How places and gateways are called. */
    words: () => ({ places, gatewayName }),
    setView(next) {
      view = next;
      void operator.load();
      render();
    },
    setSite(site, next) {
      [path, view, places] = [next, NOTHING, NO_PLACES];
      operator.setSite(site, next);
      render();
      void loadPlaces();
    },
  };

  async function loadPlaces() {
    const asked = path;
    const found = await placesOf(asked).catch(() => NO_PLACES);
    if (asked !== path) return;
    places = found;
    render();
  }
}
