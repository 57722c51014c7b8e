// Loaded by `--import` before a gateway's own code: something happens at one point of one commit of the journal.
//   COMMIT_HOOK=ACTION@POINT#N   the N-th commit of a thread; once in the life of COMMIT_HOOK_MARK, a file
import { existsSync, writeFileSync } from 'node:fs';
import { Database } from '@sparc/edge/platform';
import type { Statement } from 'better-sqlite3';

type Point = 'before begin' | 'after begin' | 'after insert' | 'before commit' | 'after commit';
type Action = 'kill' | 'exit' | 'corrupt';

const [, action, point, count] = /^(\w+)@([a-z ]+)#(\d+)$/.exec(process.env['COMMIT_HOOK'] ?? '') ?? [];
const mark = process.env['COMMIT_HOOK_MARK'] ?? '';
let begun = 0;

function reached(here: Point): void {
  if (here === 'before begin') begun += 1;
  if (here !== point || begun !== Number(count) || existsSync(mark)) return;
  writeFileSync(mark, '');
  switch (action as Action) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      break;
    case 'exit':
      process.exit(1);
      break;
    case 'corrupt':
      throw new Database.SqliteError('database disk image is malformed', 'SQLITE_CORRUPT');
  }
}

const STATEMENTS: readonly (readonly [RegExp, Point | undefined, Point])[] = [
  [/^BEGIN IMMEDIATE/, 'before begin', 'after begin'],
  [/^INSERT INTO head/, undefined, 'after insert'],
  [/^COMMIT/, 'before commit', 'after commit'],
];

type Prepare = (this: Database, sql: string) => Statement;
const prototype = Database.prototype as unknown as { prepare: Prepare };
const { prepare } = prototype;
prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  const [, before, after] = STATEMENTS.find(([pattern]) => pattern.test(sql)) ?? [];
  if (after === undefined) return statement;
  const run = statement.run.bind(statement);
  statement.run = (...parameters) => {
    if (before !== undefined) reached(before);
    const result = run(...parameters);
    reached(after);
    return result;
  };
  return statement;
};
