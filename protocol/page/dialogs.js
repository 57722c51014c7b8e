import { h } from './dom.js';

/**
 * Asks for something in a dialog, and resolves with the values of its fields, or with undefined where it was left.
 * `fields` are elements made by the functions below; `go` is what its button says.
 */
export function ask({ title, text = [], fields = [], go, level = 'primary' }) {
  return new Promise((resolve) => {
    let answer;
    const submit = (event) => {
      event.preventDefault();
      const data = new window.FormData(form);
      answer = Object.fromEntries([...new Set(data.keys())].map((name) => [name, data.getAll(name)]));
      dialog.close();
    };
    const form = h(
      'form',
      { onsubmit: submit },
      h('h2', { id: 'dialog-title' }, title),
      [text].flat().map((paragraph) => h('p', {}, paragraph)),
      fields.flat(),
      h(
        'div',
        { class: 'dialog-buttons' },
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
        h('button', { class: level }, go),
      ),
    );
    const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' }, form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    // A tap beside the dialog leaves it.
    dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  });
}

const labelled = (label, control, hint) =>
  h('label', { class: 'field' }, h('span', {}, label), control, hint === undefined ? undefined : h('small', {}, hint));

/** `options`: [value, words]. */
export function selectField(name, label, options, { chosen, hint } = {}) {
  const option = ([value, words]) => h('option', { value: String(value), selected: value === chosen }, words);
  return labelled(label, h('select', { name }, options.map(option)), hint);
}

export function numberField(name, label, { min, max, value, hint }) {
  const range = { min: String(min), max: String(max), value: String(value) };
  const input = h('input', { name, type: 'number', inputmode: 'numeric', required: true, ...range });
  return labelled(label, input, hint);
}

/** `items`: { value, words, note?, checked?, disabled? }. */
export function checkField(name, label, items) {
  return h(
    'fieldset',
    { class: 'checks' },
    h('legend', {}, label),
    items.map(({ value, words, note, checked = false, disabled = false }) =>
      h(
        'label',
        { class: 'check' },
        h('input', { type: 'checkbox', name, value: String(value), checked, disabled }),
        h('span', {}, words, note === undefined ? undefined : h('small', {}, ` ${note}`)),
      ),
    ),
  );
}

/** `list`: what is offered; `pattern` and what else an `<input>` knows is passed on. */
export function textField(name, label, { hint, list = [], ...attributes } = {}) {
  const id = `${name}-list`;
  const input = h('input', { name, required: true, autocomplete: 'off', spellcheck: 'false', list: id, ...attributes });
  const options = list.map(([value, words]) => h('option', { value }, words));
  return labelled(label, [input, h('datalist', { id }, options)], hint);
}
