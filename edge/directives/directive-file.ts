import { join } from 'node:path';
import { Type, type TProperties } from '@sinclair/typebox';
import { DirectiveId } from '@sparc/protocol/directive';
import { StateFile } from '../platform/index.js';
import type { DirectiveStore } from './directive-memory.js';

/** Of the data directory. */
const DIRECTIVES_FILE = 'directives.json';

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const unixMs = Type.Number();
const Content = closed({
  operators: Type.Array(
    closed({
      operator: Type.String(),
      remembered: Type.Array(closed({ id: DirectiveId, unixMs })),
      floorUnixMs: unixMs,
    }),
  ),
  refused: Type.Array(Type.String()),
  given: Type.Array(closed({ operator: Type.String(), text: Type.String(), signature: Type.String(), unixMs })),
});

/** Keeps which directives were dealt with. */
export class DirectiveFile extends StateFile<typeof Content> implements DirectiveStore {
  constructor(dataDir: string) {
    super(join(dataDir, DIRECTIVES_FILE), Content, 'ERR_DIRECTIVE_MEMORY_DAMAGED');
  }
}
