import { stringify } from 'yaml';
import { isPeople, type DraftReader } from './draft-reader.js';
import { isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';

/**
 * A draft as a site file, in pieces of some hundred objects: YAML, without what is sealed. What it brings back when it is taken
 * in again keeps its cards and PINs. Throws as `DraftReader`, also in the middle.
 */
export async function* exportDraft(draft: Pick<DraftReader, 'pages'>): AsyncGenerator<string> {
  yield 'version: 1\n';
  for (const kind of POLICY_KINDS) {
    let isBegun = false;
    for await (const page of draft.pages(kind)) {
      if (page.length === 0) continue;
      const bodies = page.map(({ body }) => body);
      // A list goes on in the next piece: its entries stand below its name.
      if (isSingle(kind)) yield stringify({ [kind]: bodies[0] });
      else yield `${isBegun ? '' : `${kind}:\n`}${entriesOf(kind, bodies)}`;
      isBegun = true;
    }
    if (!isBegun && !isSingle(kind)) yield `${kind}: []\n`;
  }
}

/** A person takes a line of JSON, which YAML reads: a million of them in blocks would take minutes of the processor. */
const entriesOf = (kind: PolicyKind, bodies: readonly unknown[]): string =>
  isPeople(kind) ? bodies.map((body) => `- ${JSON.stringify(body)}\n`).join('') : stringify(bodies);
