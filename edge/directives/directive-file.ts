import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { DirectiveId } from '@sparc/protocol/directive';
import { StateFile } from '../platform/index.js';
import type { DirectiveStore } from './directive-memory.js';

/** Of the data directory. */
const DIRECTIVES_FILE = 'directives.json';

const Content = Type.Object(
  {
    remembered: Type.Array(Type.Object({ id: DirectiveId, unixMs: Type.Number() }, { additionalProperties: false })),
    floorUnixMs: Type.Number(),
    refused: Type.Array(Type.String()),
  },
  { additionalProperties: false },
);

/** Keeps which directives were dealt with. */
export class DirectiveFile extends StateFile<typeof Content> implements DirectiveStore {
  constructor(dataDir: string) {
    super(join(dataDir, DIRECTIVES_FILE), Content, 'ERR_DIRECTIVE_MEMORY_DAMAGED');
  }
}
