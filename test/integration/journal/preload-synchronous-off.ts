// Loaded by `--import` before a gateway's own code: the journal believes it runs with synchronous=FULL and does not.
// The durability tests must fail with it; the product itself has no such option.
import { Database } from '@sparc/edge/platform';
import type { PragmaOptions } from 'better-sqlite3';

type Pragma = (this: Database, source: string, options?: PragmaOptions) => unknown;
const prototype = Database.prototype as unknown as { pragma: Pragma };
const { pragma } = prototype;
prototype.pragma = function (source, options) {
  return pragma.call(this, source.replace('synchronous = FULL', 'synchronous = OFF'), options);
};
