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
