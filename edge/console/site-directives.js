/** A command for a door that comes later than this is not carried out. */
const DOOR_LIFETIME_MS = 10_000;
/** Within it whatever else is given, as from the command line; clocks of tablets are minutes off. */
const LIFETIME_MS = 600_000;

/**
 * Signs a directive and gives it to the gateway of this page, which hands it on. Resolves once this gateway has dealt with it:
 * `{ id, outcome, code?, message? }`. Rejects with the API's `{ code, message, action }`, or with an `Error` where nothing
 * answers.
 */
export async function giveDirective(key, { mesh, site }, content) {
  // A gateway that goes by the time of its neighbours says how far that is from the clock of its machine.
  const issuedUnixMs = Date.now() + (site.clock.aheadMs ?? 0);
  const expiresUnixMs = issuedUnixMs + (content.kind === 'door' ? DOOR_LIFETIME_MS : LIFETIME_MS);
  const text = JSON.stringify({ v: 1, site: mesh.roster.site, issuedUnixMs, expiresUnixMs, ...content });
  const signature = await key.sign(text);
  const response = await fetch('/api/directives', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ operator: key.publicKey, text, signature }),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.message), answer);
  return answer;
}
