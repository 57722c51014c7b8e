import type { Platter } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** Promise 5: after the heal each log is on every platter as it is on that of its author, entry by entry. */
export function checkLogsAgree(platters: readonly Platter[], violations: Violations): void {
  for (const author of platters) {
    for (const other of platters) {
      if (other === author) continue;
      for (const [name, { entries }] of author.own) {
        const held = other.replicas.get(name)?.entries ?? [];
        const wrong = entries.findIndex(
          ({ hash }, index) => held[index] === undefined || !sameHash(held[index].hash, hash),
        );
        if (wrong < 0 && held.length === entries.length) continue;
        const what = `${other.machine} holds ${held.length} of ${entries.length} entries of ${name}`;
        violations.add('logs-agree', wrong < 0 ? what : `${what}, and another one at ${wrong + 1}`);
      }
    }
  }
}

const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a === b || Buffer.compare(a, b) === 0;
