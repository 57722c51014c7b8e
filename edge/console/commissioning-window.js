import { ask } from '../../protocol/page/dialogs.js';
import { h } from '../../protocol/page/dom.js';
import { icon } from '../../protocol/page/icons.js';
import { closeWindow, enterCode, forgetCode, hasCode } from './commissioning-api.js';
import { left } from './commissioning-words.js';

const LAST_MINUTES_MS = 300_000;

/** The panel that says whether commissioning is open, for whom and how long, and takes the code. */
export function createWindowPanel(panel, { onCode, onRefused, meaningOf }) {
  const title = h('h2', { id: 'window-title' });
  const words = h('p', { class: 'quiet' });
  const clock = h('time', { class: 'window-left', role: 'timer', 'aria-label': 'Time left' });
  const input = h('input', {
    name: 'code',
    autocomplete: 'one-time-code',
    autocapitalize: 'characters',
    spellcheck: 'false',
    maxlength: '16',
    required: true,
    'aria-describedby': 'window-said',
  });
  const said = h('output', { id: 'window-said', class: 'window-said', role: 'alert' });
  const submit = async (event) => {
    event.preventDefault();
    said.textContent = '';
    try {
      await enterCode(input.value);
      input.value = '';
      onCode();
    } catch (error) {
      said.textContent = [meaningOf(error), error.action].filter(Boolean).join(' ');
      input.select();
    }
  };
  const form = h(
    'form',
    { class: 'window-form', onsubmit: submit },
    h('label', { class: 'field' }, h('span', {}, 'Code of the window'), input),
    h('button', { class: 'primary' }, 'Begin'),
    said,
  );
  const forget = () => {
    forgetCode();
    onCode();
  };
  const close = async () => {
    const isSure = await ask({
      title: 'Close the commissioning window?',
      text: 'What still runs is ended safely. Opening it again takes somebody at the gateway.',
      go: 'Close it',
    });
    if (isSure === undefined) return;
    await closeWindow().then(forget, onRefused);
  };
  const buttons = h(
    'div',
    { class: 'window-buttons' },
    h('button', { type: 'button', onclick: forget }, 'Leave'),
    h('button', { type: 'button', onclick: close }, 'Close the window'),
  );
  const sign = h('div', { class: 'window-sign' });
  panel.append(sign, h('div', { class: 'window-words' }, title, words), clock, form, buttons);

  const show = (level, symbol, heading, ...text) => {
    if (panel.dataset.state !== level) sign.replaceChildren(icon(symbol));
    panel.dataset.state = level;
    if (title.textContent !== heading) title.textContent = heading;
    words.replaceChildren(...text);
  };

  return {
    /** `window` is the API's WindowView; `time` formats an instant at the site. */
    render(window, time) {
      const isMine = window !== undefined && hasCode();
      form.hidden = window === undefined || isMine;
      buttons.hidden = !isMine;
      clock.hidden = window === undefined;
      if (window === undefined) {
        const command = h('code', {}, 'sparc commission open --operator NAME');
        show('closed', 'locked', 'Commissioning is closed', 'It is opened by a person at the gateway: ', command);
      } else {
        const until = `${window.operator}, until ${time(window.endsAtUnixMs)}`;
        if (isMine) show('mine', 'unlocked', 'You may commission', until);
        else show('open', 'unlocked', 'Commissioning is open', `${until}. Enter the code that the gateway printed.`);
      }
      this.tick(window);
    },

    tick(window) {
      if (window === undefined) return;
      const leftMs = window.endsAtUnixMs - Date.now();
      clock.textContent = left(leftMs);
      clock.dataset.last = String(leftMs < LAST_MINUTES_MS);
    },
  };
}
