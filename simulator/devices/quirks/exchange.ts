import {
  decodeCommand,
  decodeFrame,
  decodeReply,
  encodeFrame,
  encodeReply,
  open,
  seal,
  SOM,
  withMark,
  type CommandName,
  type EncodedMessage,
  type PdEffect,
  type PdState,
  type ReceivedFrame,
  type Reply,
  type ReplyName,
  type SecureSession,
} from '@sparc/protocol/osdp';

export interface PdStep {
  readonly state: PdState;
  readonly effects: readonly PdEffect[];
}

/** A command that the machine answered, in plain. */
export interface Exchange {
  readonly frame: ReceivedFrame;
  readonly command: CommandName | undefined;
  readonly reply: ReplyName | undefined;
  readonly message: EncodedMessage;
  /** Between command and reply; undefined in clear. */
  readonly session: SecureSession | undefined;
}

/** Undefined for what is no exchange of plain messages: repeats, and frames that fit no session. */
export function readExchange(
  before: PdState,
  frame: ReceivedFrame,
  command: Uint8Array,
  sent: Uint8Array,
): Exchange | undefined {
  const { last, security } = before;
  if (frame.sequence !== 0 && last?.command.join() === command.join()) return undefined;
  if (frame.mac === undefined) {
    const reply = decodeFrame(unmarked(sent));
    return reply.ok ? exchangeOf(frame, frame, reply.value, undefined) : undefined;
  }
  const opened = security.kind === 'established' ? open(security.session, command) : undefined;
  if (!opened?.ok) return undefined;
  const { session } = opened.value;
  const reply = open(session, unmarked(sent));
  return reply.ok ? exchangeOf(frame, opened.value.frame, reply.value.frame, session) : undefined;
}

function exchangeOf(
  frame: ReceivedFrame,
  plainCommand: EncodedMessage,
  { code, payload }: EncodedMessage,
  session: SecureSession | undefined,
): Exchange {
  const command = decodeCommand(plainCommand);
  const reply = decodeReply({ code, payload });
  return {
    frame,
    command: command.ok ? command.value.name : undefined,
    reply: reply.ok ? reply.value.name : undefined,
    message: { code, payload },
    session,
  };
}

/** The machine's state and the bytes to send, had it answered so. */
export function rewrite(
  after: PdState,
  { frame, session }: Exchange,
  message: EncodedMessage,
): { readonly state: PdState; readonly bytes: Uint8Array } {
  const answer = { ...headOf(frame), ...message };
  if (session === undefined) return answered(after, encodeFrame(answer));
  const sealed = seal(session, answer);
  const { security } = after;
  const state =
    security.kind === 'established' ? { ...after, security: { ...security, session: sealed.session } } : after;
  return answered(state, sealed.bytes);
}

function answered(state: PdState, reply: Uint8Array): { readonly state: PdState; readonly bytes: Uint8Array } {
  const { last } = state;
  return { state: last === undefined ? state : { ...state, last: { ...last, reply } }, bytes: withMark(reply) };
}

/** An answer in clear, after which there is neither session nor sequence. */
export function answerAndForget(
  state: PdState,
  frame: ReceivedFrame,
  message: EncodedMessage,
  delayMs: number,
): PdStep {
  const bytes = withMark(encodeFrame({ ...headOf(frame), ...message }));
  const effects: PdEffect[] = [{ kind: 'transmit', bytes, delayMs }];
  if (state.security.kind === 'established') effects.push({ kind: 'session', secure: false });
  return { state: { ...state, security: { kind: 'none' }, last: undefined }, effects };
}

export const nakOf = (error: number): EncodedMessage =>
  encodeReply({ name: 'NAK', error, details: new Uint8Array(0) } satisfies Reply);

const headOf = ({ address, sequence, check }: ReceivedFrame) => ({ address, reply: true, sequence, check });
const unmarked = (bytes: Uint8Array) => bytes.subarray(bytes.indexOf(SOM));
