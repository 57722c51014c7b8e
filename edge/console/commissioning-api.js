const STORED = 'sparc.commissioning.code';

/** The code of the window lives as long as the tab: a phone that drops the page must not ask on the ladder again. */
let code = window.sessionStorage.getItem(STORED) ?? undefined;

export const hasCode = () => code !== undefined;

export function forgetCode() {
  code = undefined;
  window.sessionStorage.removeItem(STORED);
}

/** Rejects with the API's `{ code, message, action }`, or with an `Error` where nothing answers. */
async function request(method, path, { bearer = code, body } = {}) {
  const response = await fetch(path, {
    method,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === '' ? {} : JSON.parse(text);
  if (!response.ok) throw Object.assign(new Error(answer.message), answer);
  return answer;
}

/** Keeps the code if the gateway takes it. However it was typed: spaces, dashes and small letters do not matter. */
export async function enterCode(typed) {
  const bearer = typed.replace(/[\s-]/g, '').toUpperCase();
  await request('GET', '/api/commissioning/window', { bearer });
  code = bearer;
  window.sessionStorage.setItem(STORED, bearer);
}

export const getBuses = () => request('GET', '/api/buses').then(({ buses }) => buses);
export const closeWindow = () => request('DELETE', '/api/commissioning/window');
/** Resolves with the id of the task. */
export const startOperation = (operation) =>
  request('POST', '/api/commissioning/operations', { body: operation }).then(({ task }) => task);
