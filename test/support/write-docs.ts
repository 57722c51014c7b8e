import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsDocument, eventsDocument } from './generated-docs.js';
import { REPOSITORY } from './repository.js';

writeFileSync(join(REPOSITORY, 'ERRORS.md'), errorsDocument());
writeFileSync(join(REPOSITORY, 'EVENTS.md'), eventsDocument());
