import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ERRORS } from '@sparc/protocol/errors';
import { EVENTS } from '@sparc/protocol/events';
import { REPOSITORY } from '../../support/repository.js';
import { siteSnapshot } from '../../support/site-fixture.js';

const { problemsOf } = await import(pathToFileURL(join(REPOSITORY, 'edge', 'console', 'problems.js')).href);

t.test('a rule that is suspended is a warning that names it', async (t) => {
  const problems = problemsOf({ ...siteSnapshot(), suspendedRules: ['lamp'] }, { errors: ERRORS, events: EVENTS });
  t.match(
    problems.find(({ code }: { code: string }) => code === 'linkage.suspended'),
    { level: 'warning', title: 'Rule lamp is suspended', meaning: EVENTS['linkage.suspended'].meaning },
  );
});

t.test('a reader that waits for its key is no alarm, and says how it gets one', async (t) => {
  const site = siteSnapshot();
  const readers = site.readers.map((reader) => ({ ...reader, link: 'offline', reason: 'ERR_CONFIG_KEY_MISSING' }));
  const problems = problemsOf({ ...site, readers: readers.slice(0, 1) }, { errors: ERRORS, events: EVENTS });
  t.match(
    problems.find(({ code }: { code: string }) => code === 'ERR_CONFIG_KEY_MISSING'),
    { level: 'warning', title: 'Front, outside: the reader waits for its key', action: /commissioning window/ },
  );
});
