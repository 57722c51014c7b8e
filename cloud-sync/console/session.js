/** Who is logged in, in this tab of the browser alone, and requests in their name. */

const STORED_AS = 'sparc-cloud';

let session = JSON.parse(window.sessionStorage.getItem(STORED_AS));
let renewing;
let onEnded = () => undefined;

/** `{ tenant, tenantName, user, name, role }`; undefined where nobody is logged in. */
export const identity = () => session?.identity;

/** `ended` is called when the login is over, whoever ended it. */
export function whenEnded(ended) {
  onEnded = ended;
}

/** Rejects with what the cloud says. */
export async function login(name, password) {
  keep(await answerOf(await send('POST', '/login', { body: { name, password } })));
}

export async function logout() {
  const { refreshToken } = session;
  end();
  await send('POST', '/logout', { body: { refreshToken } }).catch(() => undefined);
}

/** What the cloud answers; rejects with `{ code, message, action?, problems? }` of a refusal. `version`: that was read. */
export async function call(method, path, options) {
  return answerOf(await authorised(method, path, options));
}

export const get = (path) => call('GET', path);

/**
 * Server-sent events until `signal` is aborted or the connection breaks. `EventSource` sends no token.
 * `onOpen` once it stands, `onMessage(event, data)` for each.
 */
export async function stream(path, { signal, onOpen, onMessage }) {
  const response = await authorised('GET', path, { signal });
  if (!response.ok) await answerOf(response);
  onOpen();
  let text = '';
  const reader = response.body.pipeThrough(new window.TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (text + part.value).split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/:\s?(.*)/s, 2)));
      if (fields.data !== undefined) onMessage(fields.event, JSON.parse(fields.data));
    }
  }
}

/** With the token of now, and once more with a new one where it has ended. */
async function authorised(method, path, options) {
  const response = await send(method, path, options);
  if (response.status !== 401 || session === null) return response;
  await renew();
  return session === null ? response : send(method, path, options);
}

function send(method, path, { body, version, signal } = {}) {
  const headers = {
    ...(session !== null && { authorization: `Bearer ${session.accessToken}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(version !== undefined && { 'if-match': `"${version}"` }),
  };
  return fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body), signal });
}

/** A spent token ends the login, so that two requests at a time must not both spend it. */
function renew() {
  const { refreshToken } = session;
  renewing ??= (async () => {
    const response = await send('POST', '/token', { body: { refreshToken } });
    if (response.ok) keep(await response.json());
    else if (response.status === 401) end();
  })().finally(() => (renewing = undefined));
  return renewing;
}

async function answerOf(response) {
  if (response.status === 204) return undefined;
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.message), answer);
  return answer;
}

function keep(next) {
  session = next;
  window.sessionStorage.setItem(STORED_AS, JSON.stringify(session));
}

function end() {
  session = null;
  window.sessionStorage.removeItem(STORED_AS);
  onEnded();
}
