import { renderAnswers } from '../../protocol/page/answers.js';
import { outcomeOf, RIGHT_OF, standingOfSite } from '../../protocol/page/directive-words.js';
import { byId, h } from '../../protocol/page/dom.js';
import { askRelease, createOrders } from '../../protocol/page/orders.js';
import { renderRaises } from '../../protocol/page/raises.js';
import { clockOf } from '../../protocol/page/times.js';
import { getPlaces } from './connection.js';
import { nameOf } from './mesh-words.js';
import { giveDirective } from './site-directives.js';
import { createKeyPanel } from './site-key.js';
import { renderDelivery } from './site-table.js';

const NO_PLACES = { doors: [], areas: [], profiles: [], cardFormats: [], buses: [] };

/** The site as one: what was ordered for it, by whom, and which gateways have carried it out. */
export function createSite(catalogue, { onPlaces }) {
  const section = byId('site');
  const model = { site: undefined, mesh: undefined, delivery: undefined, places: NO_PLACES, raises: [] };
  let clock = clockOf();
  let key;
  let keyPanel;
  let placesRevision;
  let isShown = false;
  /** Given from this page, so that its outcome is said aloud once. */
  const awaited = new Map();

  const orders = createOrders(() => ({ ...model, places: withOwn(model), others: othersOf(model.mesh) })).map(
    ({ kind, words, level, ask }) => {
      const onclick = () => void give(ask);
      const button = h('button', { type: 'button', class: level, disabled: true, onclick }, words);
      byId('site-orders').append(button);
      return { kind, button };
    },
  );
  const releaseAll = h(
    'button',
    { type: 'button', disabled: true, onclick: () => void give(() => askRelease(model.raises, model)) },
    'End all',
  );
  byId('site-orders').append(releaseAll);

  createKeyPanel(byId('site-key'), {
    onKey(made) {
      key = made;
      render();
    },
  }).then((panel) => {
    keyPanel = panel;
    render();
  });

  async function give(ask) {
    const content = await ask();
    if (content === undefined) return;
    refuse(undefined);
    try {
      const receipt = await giveDirective(key, model, content);
      awaited.set(receipt.id, undefined);
      if (receipt.code !== undefined) refuse(receipt);
      render();
    } catch (error) {
      refuse(error);
    }
  }

  function refuse(error) {
    const said = byId('site-refused');
    said.hidden = error === undefined;
    if (error === undefined) return;
    const { code, message, action = catalogue.errors[code]?.action } = error;
    said.replaceChildren(
      h(
        'p',
        {},
        code === undefined ? undefined : h('code', {}, code),
        ` ${catalogue.errors[code]?.meaning ?? message}`,
      ),
      action === undefined ? '' : h('p', {}, h('b', {}, 'What to do: '), action),
    );
  }

  const operator = () => model.mesh?.operators.find((one) => one.key === key?.publicKey);

  function mayNow(kind) {
    const delegated = operator();
    return delegated !== undefined && delegated.untilUnixMs > Date.now() && delegated.rights.includes(RIGHT_OF[kind]);
  }

  function render() {
    const { site, mesh, delivery, places } = model;
    if (site === undefined || mesh === undefined || delivery === undefined) return;
    byId('tab-site').hidden = mesh.state === 'off' && !isShown;
    byId('site-standing').hidden = model.raises.length === 0;
    byId('site-standing').textContent = String(model.raises.length);
    for (const directive of delivery.directives) announce(directive);
    if (!isShown) return;
    const nowMs = Date.now();
    const { level, words } = standingOfSite(site.mode);
    const headline = byId('site-headline');
    headline.dataset.level = level;
    if (headline.textContent !== words) headline.textContent = words;
    const gatewayName = (publicKey) => nameOf(mesh, publicKey);
    renderRaises(byId('site-raises'), model.raises, {
      ...{ places, gatewayName, nowMs, mayEnd: mayNow('release') },
      onEnd: (id) =>
        void give(() =>
          askRelease(
            model.raises.filter((raise) => raise.id === id),
            model,
          ),
        ),
    });
    for (const { kind, button } of orders) button.disabled = !mayNow(kind);
    releaseAll.disabled = !mayNow('release') || model.raises.length === 0;
    keyPanel?.render(operator(), { places, clock, nowMs });
    byId('site-answers').querySelector('p').hidden = delivery.directives.length > 0;
    const answers = byId('site-answers').querySelector('ol');
    renderAnswers(answers, delivery.directives, { catalogue, places, gatewayName, nowMs });
    renderDelivery(byId('site-delivery'), delivery, nowMs);
  }

  /** What was given here is said when every gateway that is to answer has. */
  function announce(directive) {
    if (!awaited.has(directive.id)) return;
    const { words } = outcomeOf(directive);
    if (awaited.get(directive.id) === words) return;
    awaited.set(directive.id, words);
    byId('announcer').textContent = words;
  }

  async function loadPlaces(revision) {
    if (revision === placesRevision) return;
    placesRevision = revision;
    model.places = await getPlaces().catch(() => model.places);
    onPlaces(model.places);
    render();
  }

  return {
    setSite(next) {
      model.site = next;
      model.raises = next.mode.raises;
      clock = clockOf(next.site?.timeZone);
      void loadPlaces(next.policy?.revision);
      render();
    },
    setMesh(next) {
      model.mesh = next;
      render();
    },
    setDelivery(next) {
      model.delivery = next;
      render();
    },
    show(next) {
      isShown = next;
      section.hidden = !next;
      render();
    },
  };
}

/** The doors of this gateway as well, where the policy has others. */
const withOwn = ({ places, site }) => ({
  ...places,
  doors: [...places.doors, ...site.doors.filter(({ id }) => !places.doors.some((door) => door.id === id))],
});

const othersOf = ({ members, logs }) =>
  members
    .filter(({ isSelf }) => !isSelf)
    .map(({ key, name }) => ({ key, name, heads: logs.find(({ author }) => author === key)?.heads }));
