import { byId, h, keyed } from '../../protocol/page/dom.js';

const STATE_WORDS = { running: 'Running', starting: 'Starting', down: 'Killed' };
const STATE_LEVELS = { running: 'good', starting: 'waiting', down: 'bad' };

/** What a visitor does to the gateways of a live simulator and to the cables between them. */
export function createMeshControls(post) {
  const panel = byId('mesh-simulator');
  const gateways = h('ul', {});
  const links = h('ul', {});
  panel.append(gateways, links, h('output', { class: 'simulator-said', 'aria-live': 'polite' }));

  const path = (kind, id, action = '') => `/${kind}/${encodeURIComponent(id)}${action}`;
  const row = () =>
    h('li', {}, h('span', { class: 'simulated-name' }), h('span', { class: 'badge' }), h('button', { type: 'button' }));

  /** The row stays while it is used, so that the focus does, too. */
  const fill = (item, name, { words, level }, { verb, of, onclick, disabled = false }) => {
    const [title, state, button] = item.children;
    title.replaceChildren(...name);
    state.textContent = words;
    state.dataset.level = level;
    button.textContent = verb;
    button.setAttribute('aria-label', `${verb} ${of}`);
    button.disabled = disabled;
    button.onclick = onclick;
  };

  return {
    /** `state`: as the simulator tells it; one of a single gateway has nothing to cut. */
    update(state) {
      panel.hidden = state?.gateways === undefined;
      if (panel.hidden) return;
      const nameOf = (id) => state.gateways.find((gateway) => gateway.id === id)?.name ?? id;
      keyed(gateways, state.gateways, {
        key: ({ id }) => id,
        make: row,
        update(item, { id, name, pageUrl, state: running }) {
          const act = running === 'down' ? 'start' : 'kill';
          const button = {
            verb: running === 'down' ? 'Start' : 'Kill',
            of: name,
            onclick: () => post(panel, path('gateways', id, `/${act}`)),
            disabled: running === 'starting',
          };
          const page = h('a', { href: `${pageUrl}#mesh` }, name);
          fill(item, [page], { words: STATE_WORDS[running], level: STATE_LEVELS[running] }, button);
        },
      });
      keyed(links, state.links, {
        key: ({ id }) => id,
        make: row,
        update(item, { id, ends, cut }) {
          const name = ends.map(nameOf).join(' – ');
          const button = {
            verb: cut ? 'Mend' : 'Cut',
            of: name,
            onclick: () => post(panel, path('links', id), { cut: !cut }),
          };
          fill(item, [name], cut ? { words: 'Cut', level: 'bad' } : { words: 'Whole', level: 'good' }, button);
        },
      });
    },
  };
}
