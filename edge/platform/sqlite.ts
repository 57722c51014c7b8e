import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

/**
 * better-sqlite3, in the line that fits this Node. Line 12 aborts the process on Node 24.19 and later, whenever a
 * statement is collected outside of JavaScript (its objects are `node::ObjectWrap`, whose destructor there needs an
 * environment); line 13 is free of that and needs Node 22. The two have one interface.
 */
const MODULE = Number.parseInt(process.versions.node, 10) >= 22 ? 'better-sqlite3-13' : 'better-sqlite3';

export const Database = createRequire(import.meta.url)(MODULE) as typeof BetterSqlite3;
export type Database = BetterSqlite3.Database;
