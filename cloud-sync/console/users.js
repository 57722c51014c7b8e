import { cell } from '../../protocol/page/delivery-words.js';
import { ask, selectField, textField } from '../../protocol/page/dialogs.js';
import { byId, h, keyed } from '../../protocol/page/dom.js';
import { ago } from '../../protocol/page/times.js';
import { call, get, logout } from './session.js';

const ROLES = [
  ['viewer', 'viewer: reads'],
  ['operator', 'operator: people, cards, revocations, orders'],
  ['administrator', 'administrator: everything, users as well'],
];
const NAME = { pattern: '[A-Za-z0-9][A-Za-z0-9.@_+\\-]{0,99}', autocapitalize: 'none', maxlength: '100' };
const PASSWORD = { type: 'password', autocomplete: 'new-password', minlength: '12', maxlength: '256' };
/** 120 bits, as the command line makes them. */
const MADE_BYTES = 15;

/** Who uses the cloud, of a tenant and not of a site: its administrators see and change it. */
export function createUsers({ tried, say }) {
  let me;
  let users = [];

  byId('user-add').addEventListener('click', () => void add());
  byId('user-password-done').addEventListener('click', () => show());
  // Ages change without a word.
  setInterval(render, 1_000);

  async function load() {
    await tried(async () => ({ users } = await get('/users')));
    render();
  }

  function render() {
    const nowMs = Date.now();
    keyed(document.querySelector('#users tbody'), users, {
      // Buttons are made once, for what can be done.
      key: ({ id, isBarred }) => `${id} ${isBarred}`,
      make: (user) => h('tr', {}, h('th', { scope: 'row' }), ...Array.from({ length: 3 }, () => h('td')), acts(user)),
      update(row, { id, name, role, isBarred, createdUnixMs, lastLoginUnixMs }) {
        const barred = h('span', { class: 'badge', 'data-level': 'bad' }, 'disabled');
        row.cells[0].replaceChildren(id === me.user ? `${name} (you)` : name, ' ', isBarred ? barred : '');
        row.cells[1].replaceWith(cell('Role', { words: role }));
        row.cells[2].replaceWith(cell('Made', { words: `${ago(nowMs - createdUnixMs)} ago` }));
        const last = lastLoginUnixMs === undefined ? 'never' : `${ago(nowMs - lastLoginUnixMs)} ago`;
        row.cells[3].replaceWith(cell('Last login', { words: last }));
      },
    });
  }

  function acts(user) {
    const barring = user.isBarred ? ['Enable…', () => enable(user)] : ['Disable…', () => disable(user), 'danger'];
    const all = [['Role…', () => changeRole(user)], ['Password…', () => changePassword(user)], barring];
    const buttons = all.map(([words, act, level]) => {
      const button = h('button', { type: 'button', class: level, onclick: () => void act() }, words);
      button.setAttribute('aria-label', `${words.slice(0, -1)}: ${user.name}`);
      return button;
    });
    return h('td', { 'data-column': 'Change' }, h('div', { class: 'operator-acts' }, buttons));
  }

  async function add() {
    const answer = await ask({
      title: 'Add a user',
      fields: [
        textField('name', 'Name', { ...NAME, hint: 'By which they log in: an address of mail, for example.' }),
        roleField('viewer'),
        passwordField(false),
      ],
      go: 'Add',
    });
    if (answer === undefined) return;
    const [[name], [role]] = [answer.name, answer.role];
    const isDone = await withPassword(name, answer, (password) =>
      call('POST', '/users', { body: { name, role, password } }),
    );
    if (isDone) await load();
  }

  async function changeRole(user) {
    const answer = await ask({
      title: `What may ${user.name} do?`,
      text: ENDS,
      fields: [roleField(now(user).role)],
      go: 'Change the role',
    });
    if (answer !== undefined) await change(user, { role: answer.role[0] }, `${user.name} is ${answer.role[0]}.`);
  }

  async function changePassword(user) {
    const answer = await ask({
      title: `A new password for ${user.name}?`,
      text: ENDS,
      fields: [passwordField(user.id === me.user)],
      go: 'Set the password',
    });
    if (answer === undefined) return;
    const isDone = await withPassword(user.name, answer, (password) =>
      call('PATCH', `/users/${user.id}`, { body: { password } }),
    );
    if (isDone) await follow(user);
  }

  async function disable(user) {
    const answer = await ask({
      title: `Disable ${user.name}?`,
      text: [`They log in no more. ${ENDS}`, 'Claim codes that they made and no gateway has used are void.'],
      go: 'Disable',
      level: 'danger',
    });
    if (answer !== undefined) await change(user, { isBarred: true }, `${user.name} is disabled.`);
  }

  async function enable(user) {
    const answer = await ask({
      title: `Enable ${user.name}?`,
      text: `They log in again by the password that they had, as ${now(user).role}.`,
      go: 'Enable',
    });
    if (answer !== undefined) await change(user, { isBarred: false }, `${user.name} may log in again.`);
  }

  async function change(user, body, words) {
    show();
    if (!(await tried(() => call('PATCH', `/users/${user.id}`, { body })))) return;
    say(words);
    await follow(user);
  }

  /** `act` sets a password: that which was typed, or one that is made here and shown. Resolves with whether it was done. */
  async function withPassword(name, { password: [typed] }, act) {
    show();
    const password = typed === '' ? madePassword() : typed;
    if (!(await tried(() => act(password)))) return false;
    say(`${name} has a new password.`);
    if (typed === '') show(name, password);
    return true;
  }

  /** A change ends the logins of whom it is about. */
  const follow = ({ id }) => (id === me.user ? logout() : load());

  function show(name, password = '') {
    byId('user-password').hidden = name === undefined;
    byId('user-password-title').textContent = name && `Password of ${name}`;
    byId('user-password').querySelector('code').textContent = password;
    if (name !== undefined) byId('user-password').focus();
  }

  const now = ({ id }) => users.find((user) => user.id === id);

  return {
    /** `identity`: who logged in; undefined: nobody any more. */
    setIdentity(identity) {
      [me, users] = [identity, []];
      byId('users-tenant').textContent = me?.tenantName;
      show();
      render();
      if (me?.role === 'administrator') void load();
    },
  };
}

const ENDS = 'Whatever they are logged in to ends at once.';
const roleField = (chosen) => selectField('role', 'Role', ROLES, { chosen });
/** One's own is typed: the page is left when it is set. */
const passwordField = (isOwn) =>
  textField('password', 'Password', {
    ...PASSWORD,
    required: isOwn,
    hint: isOwn ? '12 characters at least.' : 'Left empty, one is made and shown here once.',
  });

function madePassword() {
  const bytes = window.crypto.getRandomValues(new Uint8Array(MADE_BYTES));
  return window
    .btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}
