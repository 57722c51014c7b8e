import { byId, h, keyed } from '../../protocol/page/dom.js';
import { clockOf } from '../../protocol/page/times.js';
import { createActions } from './commissioning-actions.js';
import { forgetCode, getBuses, hasCode, startOperation } from './commissioning-api.js';
import { renderBuses } from './commissioning-bus.js';
import { createTaskList } from './commissioning-tasks.js';
import { createWindowPanel } from './commissioning-window.js';
import { left, sentence, sizeOf } from './commissioning-words.js';

const HEALTH_POLL_MS = 2_000;
const CODE_REFUSED = /^ERR_COMMISSIONING_(CODE_REFUSED|WINDOW_CLOSED)$/;

/** The view for whoever puts readers into service: everybody may look, who has the code of the window may act. */
export function createCommissioning(catalogue) {
  const section = byId('commissioning');
  const refused = byId('commissioning-refused');
  let site;
  let view;
  let buses;
  let isShown = false;
  let isScheduled = false;

  const model = () => ({ site, view, buses, catalogue, clock: clockOf(site?.site?.timeZone) });

  /** Without a code, nothing answered. */
  const meaningOf = ({ code }) => catalogue.errors[code]?.meaning ?? 'The gateway does not answer.';
  const onRefused = (error) => {
    if (CODE_REFUSED.test(error.code)) forgetCode();
    const action = error.action === undefined ? [] : [h('p', {}, h('b', {}, 'What to do: '), error.action)];
    const close = h('button', { type: 'button', onclick: () => (refused.hidden = true) }, 'Close');
    const message = error.code === undefined ? [] : [h('p', {}, sentence(error.message))];
    refused.replaceChildren(h('div', {}, h('p', {}, h('strong', {}, meaningOf(error))), ...message, ...action), close);
    refused.hidden = false;
    schedule();
  };
  const start = async (operation) => {
    refused.hidden = true;
    await startOperation(operation).catch(onRefused);
  };
  const actions = createActions(model, start);
  const windowPanel = createWindowPanel(byId('window'), { onCode: () => schedule(), onRefused, meaningOf });
  const renderTasks = createTaskList(byId('task-list'), byId('task-none'), actions);

  const render = () => {
    const tab = byId('commissioning-left');
    tab.hidden = view?.window === undefined;
    if (view === undefined || site === undefined) return;
    tick();
    if (!isShown) return;
    if (view.window === undefined) forgetCode();
    section.dataset.mine = String(view.window !== undefined && hasCode());
    const shown = model();
    windowPanel.render(view.window, (ms) => shown.clock.time(ms));
    byId('escrow-missing').hidden = view.escrow || !view.devices.some(({ key }) => key !== 'none');
    renderBuses(byId('buses'), shown, actions);
    renderBundles(byId('bundle-list'), view.bundles, actions);
    byId('bundle-none').hidden = view.bundles.length > 0;
    renderTasks(shown);
  };

  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    window.requestAnimationFrame(() => {
      isScheduled = false;
      render();
    });
  };

  const tick = () => {
    if (view?.window === undefined) return;
    byId('commissioning-left').textContent = left(view.window.endsAtUnixMs - Date.now());
    windowPanel.tick(view.window);
  };
  setInterval(tick, 1_000);

  const look = async () => {
    if (!isShown || document.hidden) return;
    buses = await getBuses().catch(() => buses);
    schedule();
  };
  setInterval(() => void look(), HEALTH_POLL_MS);

  return {
    setSite(next) {
      site = next;
      schedule();
    },
    setView(next) {
      view = next;
      schedule();
    },
    show(next) {
      isShown = next;
      section.hidden = !next;
      void look();
      schedule();
    },
  };
}

function renderBundles(list, bundles, actions) {
  keyed(list, bundles, {
    key: ({ id }) => id,
    make: (bundle) =>
      h(
        'li',
        { class: 'bundle' },
        h(
          'div',
          {},
          h('strong', {}, bundle.name),
          ` ${bundle.version} `,
          h('span', { class: 'quiet' }, sizeOf(bundle.size)),
        ),
        h('button', { type: 'button', class: 'act', onclick: () => actions.transfer(bundle) }, 'Send to readers'),
      ),
  });
}
