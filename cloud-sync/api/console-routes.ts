import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance } from 'fastify';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** No build step: files are served as they are in the sources, the console's own and those it shares with a gateway's page. */
const FOLDERS = [
  { path: '/', folder: new URL('../../console/', import.meta.url) },
  { path: '/protocol/page/', folder: new URL('.', import.meta.resolve('@sparc/protocol/page/page.css')) },
];

/** Of the page, beside those of every answer. */
const HEADERS = {
  'cache-control': 'no-cache',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
};

/** The page. Its files are read once, at start: no request names a path on disk. */
export function addConsoleRoutes(api: FastifyInstance): void {
  for (const { path, folder } of FOLDERS) {
    for (const name of readdirSync(folder)) {
      const contentType = CONTENT_TYPES[extname(name)];
      if (contentType === undefined) continue;
      const bytes = readFileSync(new URL(name, folder));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
      api.get(path + (name === 'index.html' ? '' : name), { config: { isOpen: true } }, async ({ headers }, reply) => {
        reply.headers({ ...HEADERS, etag });
        return headers['if-none-match'] === etag ? reply.code(304).send() : reply.type(contentType).send(bytes);
      });
    }
  }
}
