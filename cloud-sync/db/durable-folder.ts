import { fsyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** What of Emscripten's file system on Node is used here. */
interface NodeFileSystem {
  readonly stream_ops: { fsync?: (stream: { readonly nfd: number }) => number };
}

/** Of PGlite's ways to flush its log, the one that reaches the file system. */
const FLUSHED_BY = 'wal_sync_method=fsync';

/**
 * A folder whose files are flushed to the disk when PostgreSQL asks for it. PGlite's own file system passes that over:
 * what was committed would survive the end of the process, and not a power cut.
 */
export class DurableFolder extends NodeFS {
  override async init(...[database, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(database, options);
    const { preRun = [] } = emscriptenOpts;
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...preRun, (module) => flushOn(module.NODEFS as never)] } };
  }
}

function flushOn({ stream_ops: operations }: NodeFileSystem): void {
  operations.fsync = ({ nfd }) => {
    fsyncSync(nfd);
    return 0;
  };
}

/** `-F` turns flushing off. */
export const durableParams = (defaults: readonly string[]): string[] => [
  ...defaults.filter((param) => param !== '-F'),
  '-c',
  FLUSHED_BY,
];
