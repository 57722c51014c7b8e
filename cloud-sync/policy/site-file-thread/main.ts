import { parentPort, workerData } from 'node:worker_threads';
import { parseSiteFile, type SiteFileFields, type SiteFilePiece } from './parse-site-file.js';

export interface SiteFileData {
  readonly text: string;
  readonly fields: SiteFileFields;
}

/** What the thread posts: the file in pieces, in its order, up to where something is wrong with it. */
export type FromSiteFileThread = SiteFilePiece | { readonly problem: string };

const { text, fields } = workerData as SiteFileData;
const post = (message: FromSiteFileThread) => parentPort?.postMessage(message);
try {
  for (const piece of parseSiteFile(text, fields)) post(piece);
} catch (error) {
  post({ problem: (error as Error).message.slice(0, 500) });
}
