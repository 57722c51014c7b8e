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

/** The console has no build step: its files are served as they are in the sources, beside `dist`. */
const FOLDER = new URL('../../../console/', import.meta.url);

/** Read once, at start: no request names a path on disk. */
export function consoleFiles(): readonly ConsoleFile[] {
  return readdirSync(FOLDER).flatMap((name) => {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) return [];
    const bytes = readFileSync(new URL(name, FOLDER));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
    return [{ path: name === 'index.html' ? '/' : `/${name}`, contentType, etag, bytes }];
  });
}
