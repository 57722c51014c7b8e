import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readEntries } from '@sparc/edge/ledger';
import { DurabilityShim, SKIP_WITHOUT_CC, type ShimOptions } from './durability-shim.js';
import { acknowledged, lostEntries, runProgram, temporaryFolder, wholeness, type RunOptions } from './run-program.js';

interface Folders {
  readonly data: string;
  readonly restored: string;
  readonly shim: DurabilityShim;
}

async function folders(t: Test, options: Omit<ShimOptions, 'folder'> = {}): Promise<Folders> {
  const folder = await temporaryFolder(t);
  const [data, restored, scratch] = ['data', 'restored', 'scratch'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [data, restored, scratch]) await mkdir(made);
  return { data, restored, shim: new DurabilityShim(scratch, { folder: data, ...options }) };
}

/** Runs a journal until it has given its word often, kills it, and looks at what the power failure left. */
async function runAndFail(
  t: Test,
  how: RunOptions['how'],
  preload?: RunOptions['preload'],
  options?: { lie: boolean },
) {
  const { data, restored, shim } = await folders(t, options);
  const { heard } = await runProgram(data, {
    how,
    parallel: 4,
    environment: shim.environment,
    ...(preload && { preload }),
    until: (heard) => (acknowledged(heard).length >= 700 ? 'SIGKILL' : undefined),
  });
  shim.restore(restored);
  const flushes = shim.events().filter(({ operation, target }) => operation === 'flush' && target === 'journal.db-wal');
  /** Entries of which word was given although no flush returned between their append and the word. */
  const unflushed = acknowledged(heard).filter(({ appendedNs, heardNs }) => {
    const [from, to] = [BigInt(appendedNs), BigInt(heardNs)];
    return !flushes.some(({ atNs }) => atNs > from && atNs < to);
  });
  const lost = lostEntries(join(restored, 'journal.db'), heard);
  return { lost, unflushed, whole: () => wholeness(restored), flushCount: flushes.length };
}

for (const how of ['direct', 'thread'] as const) {
  t.test(
    `what was not flushed is dropped at the kill, and every entry of which word was given is there (${how})`,
    { skip: SKIP_WITHOUT_CC },
    async (t) => {
      const { lost, unflushed, whole, flushCount } = await runAndFail(t, how);
      t.same(lost, []);
      t.same(unflushed, [], 'a flush returned between each append and its word');
      t.equal(whole(), 'whole');
      t.comment(`${flushCount} flushes`);
    },
  );
}

t.test('with synchronous=OFF the same test fails', { skip: SKIP_WITHOUT_CC }, async (t) => {
  for (const how of ['direct', 'thread'] as const) {
    const { lost, unflushed } = await runAndFail(t, how, 'preload-synchronous-off');
    t.ok(lost.length > 0, `${lost.length} entries were promised and lost (${how})`);
    t.ok(unflushed.length > 0);
  }
});

t.test('with a disk that only says that it flushed the same test fails', { skip: SKIP_WITHOUT_CC }, async (t) => {
  const { lost } = await runAndFail(t, 'direct', undefined, { lie: true });
  t.ok(lost.length > 0, `${lost.length} entries were promised and lost`);
});

t.test('a full disk refuses and counts; recording goes on when space returns', { skip: SKIP_WITHOUT_CC }, async (t) => {
  const { data, shim } = await folders(t);
  const states: boolean[] = [];
  const { heard } = await runProgram(data, {
    how: 'thread',
    parallel: 2,
    environment: shim.environment,
    until: (heard) => {
      const last = heard.at(-1);
      if (last?.kind === 'writable') states.push(last.writable);
      if (heard.length === 20) void writeFile(shim.fullMark, '');
      if (heard.filter(({ kind }) => kind === 'refused').length === 6) void rm(shim.fullMark, { force: true });
      return states.join() === 'false,true' ? 'SIGTERM' : undefined;
    },
  });
  const refused = heard.filter(({ kind }) => kind === 'refused');
  t.ok(refused.every((line) => line.kind === 'refused' && line.code === 'ERR_LEDGER_WRITE_FAILED'));
  const gaps = readEntries(join(data, 'journal.db'), { limit: 100_000 }).flatMap(({ record }) =>
    record?.name === 'journal.gap' ? [record] : [],
  );
  t.match(gaps, [{ code: 'ERR_LEDGER_WRITE_FAILED', detail: { refused: String(refused.length) } }]);
  t.same(lostEntries(join(data, 'journal.db'), heard), []);
  t.equal(wholeness(data), 'whole');
});

t.test(
  'a journal that starts on a full disk says so, and records when space returns',
  { skip: SKIP_WITHOUT_CC },
  async (t) => {
    const { data, shim } = await folders(t);
    await writeFile(shim.fullMark, '');
    const { heard } = await runProgram(data, {
      how: 'thread',
      parallel: 1,
      environment: shim.environment,
      until: (heard) => {
        if (heard.some(({ kind }) => kind === 'down')) void rm(shim.fullMark, { force: true });
        return acknowledged(heard).length > 3 ? 'SIGTERM' : undefined;
      },
    });
    t.match(heard[0], { kind: 'down', code: 'ERR_LEDGER_WRITE_FAILED' });
    t.same(lostEntries(join(data, 'journal.db'), heard), []);
    t.equal(wholeness(data), 'whole');
  },
);

t.test(
  'the shim logs what leaves to a TCP port and to a device, with the time it began',
  { skip: SKIP_WITHOUT_CC },
  async (t) => {
    const folder = await temporaryFolder(t);
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const device = join(folder, 'tty0');
    const shim = new DurabilityShim(folder, { folder: join(folder, 'none'), peers: [`tcp:${port}`, device] });
    const program = `
    require('node:fs').writeFileSync(${JSON.stringify(device)}, Buffer.from('ff53', 'hex'));
    require('node:net').connect(${port}, '127.0.0.1').end(Buffer.from('680100', 'hex'));`;
    const beforeNs = process.hrtime.bigint();
    const child = spawn(process.execPath, ['-e', program], { env: { ...process.env, ...shim.environment } });
    await once(child, 'exit');
    const sent = shim.events().filter(({ operation }) => operation === 'send');
    t.match(sent, [
      { target: device, length: 2, hex: 'ff53' },
      { target: `tcp:${port}`, length: 3, hex: '680100' },
    ]);
    t.ok(sent.every(({ atNs }) => atNs > beforeNs && atNs < process.hrtime.bigint()));
  },
);
