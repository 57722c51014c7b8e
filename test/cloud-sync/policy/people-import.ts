import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { IMPORTS_MAX, PeopleImport, PeopleTable, RunningImports } from '@sparc/cloud-sync/policy';
import { draftScene } from './draft-scene.js';

const by = 'grace';
const STAFF = { id: 'staff', name: 'Staff', policies: [] };

t.test('a table of people', async (t) => {
  const scene = await draftScene();
  const siteOf = async (site: string) => {
    const draft = await scene.newDraft(site);
    await draft.put('accessProfiles', 'staff', STAFF, { by });
    const imports = new PeopleImport(scene.depsOf(site));
    const run = async (text: string, isDryRun = false, signal?: AbortSignal) => {
      const { id, work } = await imports.start(tableOf(text), { isDryRun, by, signal });
      await work;
      return imports.status(id);
    };
    return { draft, imports, run };
  };

  await t.test('brings holders and their cards into the draft', async (t) => {
    const { draft, run } = await siteOf('brought');
    const table = `holder,name,credential,format,facility,number,pin,profiles\r
ada,"Lovelace, ""Ada""",ada-1,h10301,12,345,471100,staff\r
bob,Bob,,,,,,\r
ada,,ada-2,h10301,12,346,,staff\r
`;
    t.match(await run(table), { state: 'done', savedCount: 3, createdCount: 4, changedCount: 0, problems: [] });
    t.match(await draft.get('credentialHolders', 'ada'), { body: { name: 'Lovelace, "Ada"', status: 'active' } });
    t.match(await draft.get('credentials', 'ada-1'), {
      body: { holder: 'ada', accessProfiles: ['staff'] },
      secrets: { identifiers: [{ format: 'h10301', facility: 12 }], pin: true },
    });
    t.match(await run(table), { state: 'done', createdCount: 0, changedCount: 0 }, 'a second time nothing changes');
    t.match(await draft.get('credentials', 'ada-1'), { version: 1 });
  });

  await t.test('changes what its cells say, and nothing else', async (t) => {
    const { draft, run } = await siteOf('changed');
    await run('holder,name,credential,bits,value,pin\nada,Ada,ada-1,32,0a0b0c0d,471100\n');
    t.match(await run('holder,credential,status,validTo\nada,ada-1,lost,2027-01-31\n'), { changedCount: 1 });
    t.match(await draft.get('credentials', 'ada-1'), {
      body: { status: 'lost', validTo: '2027-01-31' },
      secrets: { identifiers: [{ bits: 32 }], pin: true },
    });
  });

  await t.test('with wrong lines names every one, and changes nothing', async (t) => {
    const { draft, run } = await siteOf('wrong');
    await run('holder,name,credential,bits,value\nzoe,Zoe,zoe-1,32,0a0b0c0d\n');
    const { version } = await draft.counts();
    const said = await run(`holder,name,credential,bits,value,pin,profiles
ada,Ada,ada-1,32,0a0b0c0e,12,
ada,Ada,ada-1,32,0a0b0c0f,,
,Nobody,,,,,
bob,Bob,bob-1,32,0a0b0c0d,,
cy,,cy-1,32,0a0b0c10,,chiefs
dot,Dot,dot-1,32,0a0b0c0e,
"eve
`);
    t.match(said, { state: 'failed', savedCount: 0, createdCount: 0, problemCount: said.problems.length });
    t.strictSame(
      said.problems.map(({ line }) => line).sort((a, b) => a - b),
      [2, 3, 4, 5, 6, 6, 7, 8],
    );
    t.match(said.problems.find(({ line }) => line === 2)?.message, /^pin: /);
    t.match(said.problems.find(({ line }) => line === 5)?.message, /`zoe-1` has this card/);
    t.notMatch(JSON.stringify(said), /0a0b0c/i, 'no number is shown');
    t.equal((await draft.counts()).version, version);
  });

  await t.test('is only looked at in a dry run', async (t) => {
    const { draft, run } = await siteOf('dry');
    t.match(await run('holder,name\nada,Ada\n', true), {
      state: 'done',
      isDryRun: true,
      checkedCount: 1,
      savedCount: 0,
    });
    t.strictSame((await draft.counts()).counts, { accessProfiles: 1 });
  });

  await t.test('of more rows than are saved at once is saved whole', async (t) => {
    const { draft, run } = await siteOf('long');
    const rows = Array.from({ length: 1_100 }, (_, at) => `h${at},Holder ${at},c${at},32,${hex(at)},staff`);
    t.match(await run(`holder,name,credential,bits,value,profiles\n${rows.join('\n')}`), {
      state: 'done',
      checkedCount: 1_100,
      savedCount: 1_100,
      createdCount: 2_200,
    });
    t.match(await draft.counts(), { counts: { credentialHolders: 1_100, credentials: 1_100 } });
    const twice = [...rows, `z,Z,z-1,32,${hex(7)},staff`];
    const said = await run(`holder,name,credential,bits,value,profiles\n${twice.join('\n')}`);
    t.match(said, { state: 'failed', problems: [{ line: 1_102 }], problemCount: 1 });
  });

  await t.test('names what came in a row long before', async (t) => {
    const { draft, run } = await siteOf('before');
    const others = Array.from({ length: 600 }, (_, at) => `h${at},Holder ${at},c${at},32,${hex(at)}`);
    const header = 'holder,name,credential,bits,value\n';
    const taken = [`z,,c-z,32,${hex(1_000)}`, `h1,,c-1,32,${hex(1_001)}`];
    t.match(await run(`${header}z,Z,,,\n${others.join('\n')}\n${taken.join('\n')}`), {
      state: 'done',
      savedCount: 603,
    });
    t.match(await draft.get('credentials', 'c-z'), { body: { holder: 'z' } });
    const { draft: other, run: runOther } = await siteOf('before-other');
    const wrong = [`h1,,c2,32,${hex(2)}`, `h1,,c-1,32,${hex(2)}`, `z,,c-z,32,${hex(1_000)}`];
    t.match(await runOther(`${header}${others.join('\n')}\n${wrong.join('\n')}\n${others[3]}`), {
      problems: [
        { line: 602, message: /`c2` is there twice/ },
        { line: 604, message: /no holder `z`/ },
        { line: 605, message: /`c3` is there twice/ },
        { line: 603, message: /line 4 has this card/ },
      ],
      problemCount: 4,
    });
    t.strictSame((await other.counts()).counts, { accessProfiles: 1 });
  });

  await t.test('sees what somebody changes between the look at it and the saving', async (t) => {
    const { draft, imports } = await siteOf('meanwhile');
    await draft.put('credentialHolders', 'ada', { id: 'ada', name: 'Ada' }, { by });
    let readingsCount = 0;
    class ChangedMeanwhile extends PeopleTable {
      override *pieces() {
        readingsCount += 1;
        if (readingsCount === 2) void draft.remove('credentialHolders', 'ada', { version: 1, by });
        yield* super.pieces();
      }
    }
    const table = new ChangedMeanwhile([Buffer.from(`holder,credential,bits,value\nada,ada-1,32,${hex(1)}\n`)]);
    const { id, work } = await imports.start(table, { isDryRun: false, by });
    await work;
    t.match(await imports.status(id), {
      state: 'failed',
      savedCount: 0,
      problems: [{ line: 2, message: /no holder `ada`/ }, { message: /changed meanwhile/ }],
    });
    t.strictSame((await draft.counts()).counts, { accessProfiles: 1 });
  });

  await t.test('of more rows than may be is refused at the first that is too many', async (t) => {
    const { draft } = await siteOf('endless');
    const rows = Array.from({ length: 300 }, (_, at) => `h${at},Holder ${at}`);
    const startOf = async (rowsMax: number) => {
      const imports = new PeopleImport(scene.depsOf('endless'), rowsMax);
      const { id, work } = await imports.start(tableOf(`holder,name\n${rows.join('\n')}`), { isDryRun: false, by });
      await work;
      return imports.status(id);
    };
    t.match(await startOf(299), { state: 'failed', problems: [{ line: 301, message: /more than 299 rows/ }] });
    t.match(await startOf(250), { state: 'failed', problems: [{ line: 252, message: /more than 250 rows/ }] });
    t.strictSame((await draft.counts()).counts, { accessProfiles: 1 });
    t.match(await startOf(300), { state: 'done', savedCount: 300 });
  });

  await t.test('that is ended with its process says so', async (t) => {
    const { draft, run } = await siteOf('ended');
    const said = await run('holder,name\nada,Ada\n', false, AbortSignal.abort());
    t.match(said, { state: 'failed', savedCount: 0, problems: [{ line: 0, message: /process ended/ }] });
    t.strictSame((await draft.counts()).counts, { accessProfiles: 1 });
  });

  await t.test('that meets a defect says that it was none of the table, and tells it', async (t) => {
    await scene.newDraft('defect');
    const secrets = new Proxy(scene.depsOf('defect').secrets, {
      get: () => () => {
        throw new TypeError('a defect');
      },
    });
    const imports = new PeopleImport({ ...scene.depsOf('defect'), secrets });
    const table = tableOf('holder,name,credential,bits,value\nada,Ada,ada-1,32,0a0b0c0d\n');
    const { id, work } = await imports.start(table, { isDryRun: false, by });
    await t.rejects(work, { message: 'a defect' });
    const said = await imports.status(id);
    t.match(said, { state: 'failed', problems: [{ line: 0, message: /failure of the service/ }] });
    t.notMatch(JSON.stringify(said), /database/);
  });

  await t.test('is taken one at a time of a site, and few of a process', async (t) => {
    const running = new RunningImports();
    const ends: (() => void)[] = [];
    const started = () => Promise.resolve({ work: new Promise<void>((resolve) => void ends.push(resolve)) });
    const run = (site: string, start = started) => running.run({ tenant: 'ours', site }, start);
    const isRefused = { code: 'ERR_POLICY_IMPORTS_MAX' };
    await t.rejects(
      run('0', () => Promise.reject(new Error('no table'))),
      { message: 'no table' },
    );
    await run('0');
    await t.rejects(run('0'), isRefused);
    for (let site = 1; site < IMPORTS_MAX; site += 1) await run(String(site));
    await t.rejects(run('more'), isRefused);
    ends[0]?.();
    await setImmediate();
    await run('0');
  });

  await t.test('that is under way when its process stops is waited for', async (t) => {
    const running = new RunningImports();
    let isOver = false;
    await running.run({ tenant: 'ours', site: 'stopped' }, async (signal) => ({
      work: once(signal, 'abort').then(async () => {
        await setImmediate();
        isOver = true;
      }),
    }));
    await running.stop();
    t.ok(isOver);
    const late = running.run({ tenant: 'ours', site: 'late' }, () => Promise.resolve({ work: Promise.resolve() }));
    await t.rejects(late, { code: 'ERR_POLICY_IMPORTS_MAX' });
  });

  await t.test('that is none is refused at once', async (t) => {
    for (const text of ['', 'holder,colour\nada,red', 'holder,holder\nada,ada', 'holder,constructor\nada,x']) {
      t.throws(() => tableOf(text), { code: 'ERR_POLICY_INVALID' });
    }
    const { imports } = await siteOf('none');
    await t.rejects(imports.status('none'), { code: 'ERR_POLICY_IMPORT_UNKNOWN' });
  });
});

const hex = (number: number) => number.toString(16).padStart(8, '0');
const tableOf = (text: string) => new PeopleTable([Buffer.from(text)]);
