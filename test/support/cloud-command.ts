import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '@sparc/cloud-sync/cli';

/** What `sparc-cloud` says on its output; in this process, which is quicker. Throws what it says of a failure. */
export async function sparcCloud(environment: NodeJS.ProcessEnv, ...argv: string[]): Promise<string> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(argv, {
    out,
    err,
    environment,
    now: () => new Date(),
    ended: new AbortController().signal,
  });
  out.end();
  err.end();
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${await text(err)}`);
  return text(out);
}
