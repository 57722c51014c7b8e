/**
 * The key that an operator signs directives with. The browser keeps it and never gives it out, not even to this page: it
 * signs, and that is all. It belongs to this address, so that the page of each gateway needs a key of its own.
 */
const DATABASE = 'sparc';
const STORE = 'keys';
const OPERATOR = 'operator';
/** As the gateways check it. */
const DOMAIN = 'sparc/directive/1\0';
const ED25519 = { name: 'Ed25519' };

/** Pages that did not come over loopback or TLS, and older browsers, cannot keep one. */
export const canKeepKey = () => window.isSecureContext && window.crypto.subtle !== undefined;

/** Undefined where none was made here yet: { publicKey, sign(text) }. */
export async function findKey() {
  const stored = await inStore('readonly', (store) => store.get(OPERATOR));
  return stored && keyOf(stored);
}

/** Makes one where there is none. Rejects where the browser cannot. */
export async function makeKey() {
  const made = await window.crypto.subtle.generateKey(ED25519, false, ['sign', 'verify']);
  const known = await findKey();
  if (known !== undefined) return known;
  await inStore('readwrite', (store) => store.put(made, OPERATOR));
  return keyOf(made);
}

async function keyOf({ publicKey, privateKey }) {
  const raw = await window.crypto.subtle.exportKey('raw', publicKey);
  return {
    publicKey: toHex(new Uint8Array(raw)),
    sign: async (text) => {
      const message = new window.TextEncoder().encode(`${DOMAIN}${text}`);
      return toHex(new Uint8Array(await window.crypto.subtle.sign(ED25519, privateKey, message)));
    },
  };
}

async function inStore(mode, use) {
  const opening = window.indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  try {
    return await done(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
