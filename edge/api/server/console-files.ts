import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

export interface ConsoleFile {
  /** `/` for the page itself. */
  readonly path: string;
  readonly contentType: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** No build step: files are served as they are in the sources, the console's own and those it shares with the cloud's page. */
const FOLDERS = [
  { path: '/', folder: new URL('../../../console/', import.meta.url) },
  { path: '/protocol/page/', folder: new URL('.', import.meta.resolve('@sparc/protocol/page/page.css')) },
];

/** Read once, at start: no request names a path on disk. */
export const consoleFiles = (): readonly ConsoleFile[] =>
  FOLDERS.flatMap(({ path, folder }) =>
    readdirSync(folder).flatMap((name) => {
      const contentType = CONTENT_TYPES[extname(name)];
      if (contentType === undefined) return [];
      const bytes = readFileSync(new URL(name, folder));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
      return [{ path: path + (name === 'index.html' ? '' : name), contentType, etag, bytes }];
    }),
  );
