import { h } from '../../protocol/page/dom.js';
import { createMeshControls } from './simulator-mesh.js';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** Controls of a live simulator: what a person does at a door, what goes wrong with a reader, and between gateways. */
export function createSimulator() {
  const panels = new Map();
  let url;
  let source;
  let cards = [];

  const post = async (panel, path, body = {}) => {
    const said = panel.querySelector('output');
    try {
      const response = await fetch(new URL(path, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = response.ok ? {} : await response.json();
      said.textContent = response.ok ? '' : (answer.message ?? `The simulator answers ${response.status}.`);
    } catch {
      said.textContent = 'The simulator cannot be reached.';
    }
  };

  const fillCards = (panel) => {
    const select = panel.querySelector('select[name=card]');
    const chosen = select.value;
    select.replaceChildren(...cards.map(({ id, name }) => h('option', { value: id, selected: id === chosen }, name)));
  };

  const meshControls = createMeshControls(post);

  /** The simulator tells what is really there: the gateway's view beside it can be compared. */
  const watch = () => {
    source?.close();
    source = new EventSource(new URL('/stream', url));
    source.addEventListener('message', ({ data }) => {
      const state = JSON.parse(data);
      meshControls.update(state);
      if (cards.length !== state.cards.length) {
        ({ cards } = state);
        panels.forEach(fillCards);
      }
      for (const door of state.doors) {
        const panel = panels.get(door.id);
        if (panel !== undefined) panel.querySelector('.truth').textContent = truthOf(door);
      }
    });
  };

  return {
    connect(next) {
      if (next === url) return;
      url = next;
      for (const panel of panels.values()) panel.hidden = url === undefined;
      if (url !== undefined) {
        watch();
        return;
      }
      source?.close();
      meshControls.update();
    },

    /** The controls of one door; they live as long as its card. */
    panel(door) {
      const panel = build(door, post);
      panel.hidden = url === undefined;
      panels.set(door.id, panel);
      fillCards(panel);
      return panel;
    },

    /** Readers may come and go with a policy. */
    update({ readers }) {
      for (const [doorId, panel] of panels) {
        const select = panel.querySelector('select[name=reader]');
        const here = readers.filter((reader) => reader.doorId === doorId);
        const ids = here.map(({ id }) => id).join();
        if (select.dataset.ids === ids) continue;
        select.dataset.ids = ids;
        select.parentElement.hidden = here.length < 2;
        select.replaceChildren(...here.map(({ id, name }) => h('option', { value: id }, name)));
      }
    },
  };
}

function truthOf({ open, held, exitPressed, lock }) {
  const parts = [
    lock.released ? 'lock free' : 'lock shut',
    open ? 'door open' : 'door shut',
    held ? 'held by hand' : undefined,
    exitPressed ? 'exit button pressed' : undefined,
  ];
  return `In truth: ${parts.filter((part) => part !== undefined).join(', ')}`;
}

function build(door, post) {
  const readerPath = (action) => `/readers/${encodeURIComponent(field('reader').value)}/${action}`;
  const doorPath = (action) => `/doors/${encodeURIComponent(door.id)}/${action}`;
  const button = (words, onclick, more = {}) => h('button', { type: 'button', onclick, ...more }, words);
  const act = (words, action) => button(words, () => post(panel, doorPath(action)));
  const field = (name) => panel.querySelector(`[name=${name}]`);

  const keys = (text) => post(panel, readerPath('keys'), { keys: text });
  const present = () => post(panel, readerPath('card'), { cardId: field('card').value });
  const presentOther = (event) => {
    event.preventDefault();
    const [facility, number] = [field('facility').value, field('number').value];
    void post(panel, readerPath('card'), { facility: Number(facility), number: Number(number) });
  };

  const panel = h(
    'section',
    { class: 'simulator', 'aria-label': `Simulator of ${door.name}` },
    h('div', { class: 'simulator-head' }, h('h3', {}, 'Simulator'), h('p', { class: 'truth quiet' })),
    h(
      'div',
      { class: 'row' },
      h('label', {}, h('span', {}, 'Reader'), h('select', { name: 'reader' })),
      h('label', {}, h('span', {}, 'Card'), h('select', { name: 'card' })),
    ),
    h(
      'div',
      { class: 'row', role: 'group', 'aria-label': 'A person' },
      button('Present card', present, { class: 'primary' }),
      act('Exit button', 'exit-button'),
    ),
    h(
      'div',
      { class: 'row', role: 'group', 'aria-label': 'The door' },
      act('Open', 'open'),
      act('Close', 'close'),
      act('Hold open', 'hold'),
      act('Force', 'force'),
    ),
    h(
      'details',
      {},
      h('summary', {}, 'Keypad, other card, faults'),
      h(
        'div',
        { class: 'more' },
        h(
          'div',
          { class: 'keypad', role: 'group', 'aria-label': 'Keypad' },
          KEYS.map((key) => button(key, () => keys(key), { 'aria-label': `Key ${key}` })),
        ),
        h(
          'div',
          { class: 'other' },
          h(
            'form',
            { onsubmit: presentOther },
            h(
              'div',
              { class: 'row' },
              h('label', {}, h('span', {}, 'Facility'), numberField('facility', 255)),
              h('label', {}, h('span', {}, 'Number'), numberField('number', 65_535)),
            ),
            h('button', {}, 'Present 26-bit card'),
          ),
          h(
            'div',
            { class: 'row', role: 'group', 'aria-label': 'Faults of the reader' },
            button('Tamper', () => post(panel, readerPath('tamper'))),
            button('Power-cycle', () => post(panel, readerPath('power-cycle'))),
          ),
        ),
      ),
    ),
    h('output', { class: 'simulator-said', 'aria-live': 'polite' }),
  );
  return panel;
}

function numberField(name, max) {
  return h('input', {
    name,
    type: 'number',
    inputmode: 'numeric',
    min: '0',
    max: String(max),
    value: '1',
    required: true,
  });
}
