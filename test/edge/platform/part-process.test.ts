import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MESSAGES_PER_SECOND_MAX, PART_MESSAGE_MAX, PartProcess } from '@sparc/edge/platform';
import { systemClock } from '../../support/system-clock.js';

/** A part that runs `script`, in which `channel` is a socket to the gateway; it is over when the part has ended. */
async function run(t: Test, script: string) {
  const main = join(t.testdir(), 'main.mjs');
  writeFileSync(
    main,
    `import { Socket } from 'node:net';\nconst channel = new Socket({ fd: 3 });\nchannel.resume().once('close', () => process.exit(9));\n${script}`,
  );
  const said: unknown[] = [];
  const end = await new Promise<{ readonly why: string; readonly code: number | undefined }>((resolve) => {
    const part = new PartProcess<{ readonly ok: string }>(systemClock, {
      main,
      options: { name: 'a "name"' },
      execArgv: [],
      isMessage: (message): message is { readonly ok: string } =>
        typeof message === 'object' && message !== null && 'ok' in message,
      onMessage: (message) => {
        said.push(message.ok);
        part.send({ text: `${message.ok}\n${'x'.repeat(200_000)}` });
      },
      onEnd: (why, code) => resolve({ why, code }),
    });
    t.teardown(() => part.kill('SIGKILL'));
  });
  return { said, end };
}

t.test('messages of any length and with any character go both ways', async (t) => {
  const { said, end } = await run(
    t,
    `channel.setEncoding('utf8');
     let heard = '';
     channel.on('data', (text) => {
       heard += text;
       if (heard.endsWith('\\n')) process.exit(JSON.parse(heard).text.length === 200_005 ? 0 : 1);
     });
     channel.write(JSON.stringify({ ok: 'ü\\n7☃' }) + '\\n');`,
  );
  t.strictSame(said, ['ü\n7☃']);
  t.strictSame(end, { why: 'exit code 0', code: 0 });
});

const MAD = [
  ['a line that is no JSON', `channel.write('{"ok":\\n{"ok":"never"}\\n')`],
  ['what is no object', `channel.write('null\\n{"ok":"never"}\\n')`],
  ['another form', `channel.write('{"kind":"other"}\\n')`],
  ['bytes that are no text', 'channel.write(Buffer.alloc(64, 0xff)); channel.write("\\n")'],
  ['a line without end', `channel.write('x'.repeat(${PART_MESSAGE_MAX + 1}))`],
] as const;

for (const [name, script] of MAD) {
  t.test(`a part that says ${name} is ended, and its gateway goes on`, async (t) => {
    const { said, end } = await run(t, `${script}; setInterval(() => undefined, 1_000);`);
    t.strictSame(said, []);
    t.match(end.why, /no message/);
  });
}

t.test('a part that says more than the field can hear is ended', async (t) => {
  const { said, end } = await run(
    t,
    `const burst = () => channel.write('{"ok":"7"}\\n'.repeat(${MESSAGES_PER_SECOND_MAX}));
     setInterval(burst, 5);`,
  );
  t.ok(said.length >= MESSAGES_PER_SECOND_MAX);
  t.match(end.why, /more messages/);
});
