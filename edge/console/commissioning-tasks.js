import { h, keyed } from '../../protocol/page/dom.js';
import { TASK_STATES, TASK_TITLES } from '../../protocol/page/event-words.js';
import { icon } from '../../protocol/page/icons.js';
import { deviceName, sentence } from './commissioning-words.js';

const SIGNS = { running: 'reader', done: 'granted', failed: 'alarm', cancelled: 'denied' };

/** What a task is about: `Set key · Front door`. */
export function taskTitle(task, model) {
  const where = task.device === undefined ? task.bus : deviceName(model, task.device);
  return where === undefined ? TASK_TITLES[task.kind] : `${TASK_TITLES[task.kind]} · ${where}`;
}

/** How far a task is, or what became of it; stays in place while it runs, so that nothing jumps. */
export function taskProgress(task, catalogue) {
  if (task.state === 'running') {
    return [
      h('progress', { max: '1', value: String(task.progress), 'aria-label': TASK_TITLES[task.kind] }),
      h('p', { class: 'quiet' }, task.step),
    ];
  }
  if (task.error !== undefined) {
    const { action } = catalogue.errors[task.error.code] ?? {};
    return [
      h('p', {}, h('b', {}, `${TASK_STATES[task.state]}: `), sentence(task.error.message)),
      action === undefined ? undefined : h('p', { class: 'quiet' }, action),
    ];
  }
  // What was done is more than its last step, but for where a device went.
  const step = task.state === 'done' && task.kind !== 'setAddress' ? '' : task.step;
  return [h('p', { class: 'quiet' }, [TASK_STATES[task.state], step].filter(Boolean).join(': '))];
}

export function cancelButton(id, { start }) {
  return h('button', { type: 'button', class: 'act', onclick: () => start({ kind: 'cancel', task: id }) }, 'Stop');
}

/** Everything that was asked for, newest first. */
export function createTaskList(list, none, actions) {
  return (model) => {
    const { view, catalogue, clock } = model;
    none.hidden = view.tasks.length > 0;
    keyed(list, view.tasks, {
      key: ({ id }) => id,
      make: ({ id }) =>
        h('li', { class: 'task' }, h('div', { class: 'task-sign' }), h('div', {}), cancelButton(id, actions)),
      update(row, task) {
        const [sign, words, stop] = row.children;
        if (row.dataset.state !== task.state) sign.replaceChildren(icon(SIGNS[task.state]));
        row.dataset.state = task.state;
        stop.hidden = task.state !== 'running';
        words.replaceChildren(
          h('p', { class: 'task-title' }, h('strong', {}, taskTitle(task, model))),
          ...taskProgress(task, catalogue).filter(Boolean),
          ...fileWords(task),
          h('p', { class: 'quiet' }, `${clock.time(task.startedAtUnixMs)}, ${task.operator}`),
        );
      },
    });
  };
}

function fileWords({ file }) {
  if (file === undefined) return [];
  return [
    h('p', {}, 'In the data directory: ', h('code', {}, file)),
    h('p', { class: 'quiet' }, 'Read it with ', h('code', {}, 'sparc osdp replay')),
  ];
}
