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

t.test('what stands for the whole site is a problem, worst first, and says how it ends', async (t) => {
  const act = { id: '0'.repeat(32), atUnixMs: 1_000 };
  const raises = [
    { ...act, what: 'threat', level: 3, by: 'Ada' },
    { ...act, what: 'lockdown', by: 'Ada' },
    { ...act, what: 'lockdown', scope: ['lab'], by: 'Bea' },
    { ...act, what: 'lockdown', by: 'Bea' },
    { ...act, what: 'evacuation', by: 'Ada' },
    { ...act, what: 'fire', input: 'panel', by: 'fire alarm' },
  ];
  const mode = { lockdown: true, threatLevel: 3, fires: ['panel', 'evacuation'], raises };
  const problems = problemsOf({ ...siteSnapshot(), mode }, { errors: ERRORS, events: EVENTS });
  t.match(problems.slice(0, 4), [
    {
      level: 'alarm',
      title: 'Fire alarm panel',
      code: 'fire.alarm',
      meaning: /^A fire alarm .*Raised by fire alarm, /,
    },
    { level: 'alarm', title: 'Evacuation', code: 'fire.evacuation', action: /end-fire/ },
    { level: 'alarm', title: 'Lockdown', code: 'site.lockdown', action: /end-lockdown/, meaning: /by Ada, .*; Bea, / },
    { level: 'alarm', title: 'Lockdown in lab', code: 'site.lockdown', meaning: /by Bea, / },
  ]);
  t.match(
    problems.find(({ code }: { code: string }) => code === 'site.threat_level'),
    { level: 'warning', title: 'Threat level 3', action: /threat-level 0/ },
  );
  const calm = problemsOf(siteSnapshot(), { errors: ERRORS, events: EVENTS });
  t.notOk(calm.some(({ code }: { code: string }) => /^(fire|site)\./.test(code)));
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
