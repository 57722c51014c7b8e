import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { DirectiveId, Visitor } from '@sparc/protocol/directive';
import { StateFile } from '../platform/index.js';
import { VISITORS_MAX, type VisitorStore } from './visitor-book.js';

/** Of the data directory, mode 0600: it has numbers of cards. */
const VISITORS_FILE = 'visitors.json';

const Given = Type.Object(
  {
    directive: DirectiveId,
    carriedUnixMs: Type.Integer({ minimum: 0 }),
    operator: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    by: Type.String(),
    visitor: Visitor,
  },
  { additionalProperties: false },
);
const Content = Type.Array(Given, { maxItems: VISITORS_MAX });

/** Keeps visitors over a restart. */
export class VisitorFile extends StateFile<typeof Content> implements VisitorStore {
  constructor(dataDir: string) {
    super(join(dataDir, VISITORS_FILE), Content, 'ERR_GATEWAY_VISITORS_DAMAGED');
  }
}
