import { COMMANDS, describeCommand } from './commands.js';
import type { Frame } from './frame.js';
import { COMMAND_TEXTS, REPLY_TEXTS, type TextContext, type Texts } from './message-texts.js';
import { HIDDEN_REASONS, type Reading } from './monitor-types.js';
import { describeReply, REPLIES, type Reply } from './replies.js';

/** The name of a command or reply by its code, which is never encrypted: `POLL`, or `command 0x99`. */
export function codeName(reply: boolean, code: number): string {
  const known = (reply ? REPLIES : COMMANDS).find((schema) => schema.code === code)?.name;
  return known ?? `${reply ? 'reply' : 'command'} 0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** One line for people: what the frame says, or why that cannot be seen. Secrets are masked unless they are asked for. */
export function readingText(frame: Frame, reading: Reading, showSecrets: boolean): string {
  const name = codeName(frame.reply, frame.code);
  const keySelection = frame.securityBlock?.data[0];
  switch (reading.kind) {
    case 'hidden':
      return frame.payload.length === 0
        ? `${name}: ${HIDDEN_REASONS[reading.reason]}`
        : `${name}, ${frame.payload.length} encrypted bytes: ${HIDDEN_REASONS[reading.reason]}`;
    case 'undecodable':
      return `${name} that cannot be decoded: ${reading.error.message} (${frame.payload.length} bytes)`;
    case 'command':
      return textOf(COMMAND_TEXTS, reading.command, { keySelection, showSecrets }, describeCommand);
    case 'reply':
      return textOf(REPLY_TEXTS, reading.reply, { keySelection, showSecrets }, describeReply);
  }
}

/** One line for people. Secrets are masked unless they are asked for. */
export const replyText = (reply: Reply, showSecrets: boolean): string =>
  textOf(REPLY_TEXTS, reply, { showSecrets }, describeReply);

function textOf<M extends { readonly name: string }>(
  texts: Texts<M>,
  message: M,
  context: TextContext,
  describe: (message: M, secretsShown: boolean) => string,
): string {
  const say = texts[message.name as M['name']] as ((message: M, context: TextContext) => string) | undefined;
  if (say === undefined) return describe(message, context.showSecrets).replace(/ \{(type=0)?\}$/, '');
  return `${message.name} ${say(message, context)}`;
}
