import { bytesEqual } from './bytes-equal.js';
import { decodeCommand } from './commands.js';
import { decodeFrame, type Frame, type ReceivedFrame, type Sequence } from './frame.js';
import { BUFFERED_INTER_CHARACTER_TIMEOUT_MS } from './frame-parser.js';
import { followFragments, type NextOffsets } from './monitor-fragments.js';
import { finding, followSession, type HeardSession } from './monitor-session.js';
import { hearBytes, noiseOf, SILENT_STREAM, type HeardStream } from './monitor-stream.js';
import { codeName, readingText } from './monitor-text.js';
import type {
  Direction,
  Finding,
  HiddenReason,
  MonitorFrame,
  MonitorInput,
  MonitorItem,
  MonitorKey,
  MonitorOptions,
  MonitorUnanswered,
  Reading,
} from './monitor-types.js';
import { decodeReply } from './replies.js';

/** One frame as it was understood when it was heard first. */
interface HeardFrame {
  readonly bytes: Uint8Array;
  /** Plain where it could be opened. */
  readonly frame: Frame;
  readonly reading: Reading;
}

/** What was heard of one PD. */
interface HeardPd {
  readonly session: HeardSession;
  readonly fragments: NextOffsets;
  readonly command?: HeardFrame & { readonly atMs: number };
  /** To that command; BUSY is none. */
  readonly reply?: HeardFrame;
}

export interface MonitorState {
  readonly options: MonitorOptions;
  /** Learnt from each KEYSET that could be read. */
  readonly learnt: readonly MonitorKey[];
  readonly streams: Readonly<Record<Direction | 'line', HeardStream>>;
  readonly pds: Readonly<Record<number, HeardPd>>;
  /** Whose reply is due, and whether bytes came that are no frame. */
  readonly due?: { readonly address: number; readonly garbled: boolean };
}

export interface Monitored {
  readonly state: MonitorState;
  readonly items: readonly MonitorItem[];
}

/** Of each KEYSET, whoever sends it, one key is learnt; the oldest are forgotten. */
const LEARNT_KEYS_MAX = 256;

/**
 * A listener on a line: it sends nothing, and says of each frame what it is, what it says, what is odd about it, and
 * what cannot be seen and why. Pure: feed {@link stepMonitor} with what was heard.
 */
export const createMonitor = (options: MonitorOptions = {}): MonitorState => ({
  options,
  learnt: [],
  streams: { acu: SILENT_STREAM, pd: SILENT_STREAM, line: SILENT_STREAM },
  pds: {},
});

/** Takes what was heard, in the order of its time. */
export function stepMonitor(before: MonitorState, { atMs, bytes, direction }: MonitorInput): Monitored {
  const timeoutMs = before.options.interCharacterTimeoutMs ?? BUFFERED_INTER_CHARACTER_TIMEOUT_MS;
  const name = direction ?? 'line';
  const { stream, heard } = hearBytes(before.streams[name], bytes, atMs, timeoutMs);
  const items: MonitorItem[] = [];
  let state: MonitorState = { ...before, streams: { ...before.streams, [name]: stream } };
  for (const each of heard) {
    const next = each.kind === 'noise' ? takeNoise(state, each) : takeWhole(state, each.bytes, each.atMs);
    state = next.state;
    items.push(...next.items);
  }
  return { state, items };
}

const takeNoise = (state: MonitorState, noise: MonitorItem): Monitored => ({
  state: state.due === undefined ? state : { ...state, due: { ...state.due, garbled: true } },
  items: [noise],
});

function takeWhole(state: MonitorState, bytes: Uint8Array, atMs: number): Monitored {
  const decoded = decodeFrame(bytes);
  if (!decoded.ok) return takeNoise(state, noiseOf(bytes, 'malformed', atMs));
  return decoded.value.reply
    ? takeReply(state, bytes, decoded.value, atMs)
    : takeCommand(state, bytes, decoded.value, atMs);
}

function takeCommand(state: MonitorState, bytes: Uint8Array, frame: ReceivedFrame, atMs: number): Monitored {
  const { address } = frame;
  const pd = pdAt(state, address);
  const unanswered = unansweredOf(state, atMs);
  const last = pd.command;
  // SQN 0 starts anew however often it is said: only an unanswered one is repeated.
  const isRepeat =
    last !== undefined && bytesEqual(bytes, last.bytes) && (frame.sequence !== 0 || pd.reply === undefined);
  const understood = isRepeat ? { ...pd, ...last, findings: [] } : understand(state, pd, bytes, frame);
  const findings = isRepeat ? [] : [...sequenceFindings(pd, frame.sequence), ...understood.findings];
  const { reading } = understood;
  const item = itemOf(state, understood, { atMs, direction: 'acu', repeat: isRepeat, findings });
  const next: HeardPd = {
    session: understood.session,
    fragments: understood.fragments,
    command: { bytes, frame: understood.frame, reading, atMs },
    ...(isRepeat && pd.reply !== undefined ? { reply: pd.reply } : {}),
  };
  const learnt = learn(state, reading);
  return {
    state: { ...state, learnt, pds: { ...state.pds, [address]: next }, due: { address, garbled: false } },
    items: [...unanswered, item],
  };
}

function takeReply(state: MonitorState, bytes: Uint8Array, frame: ReceivedFrame, atMs: number): Monitored {
  const { due, ...rest } = state;
  const { address } = frame;
  const pd = pdAt(state, address);
  const isDue = due?.address === address;
  const isRepeat = pd.reply !== undefined && bytesEqual(bytes, pd.reply.bytes);
  const understood = isRepeat ? { ...pd, ...pd.reply, findings: [] } : understand(state, pd, bytes, frame);
  const isFirst = Object.keys(state.pds).length === 0;
  const findings = [...replyFindings(pd, frame, isDue || isFirst), ...understood.findings];
  const delay = isDue && pd.command !== undefined ? { delayMs: atMs - pd.command.atMs } : {};
  const item = itemOf(state, understood, { atMs, direction: 'pd', repeat: isRepeat, findings, ...delay });
  const { reading } = understood;
  const isBusy = reading.kind === 'reply' && reading.reply.name === 'BUSY';
  const next: HeardPd = {
    ...pd,
    session: understood.session,
    fragments: understood.fragments,
    ...(isBusy ? {} : { reply: { bytes, frame: understood.frame, reading } }),
  };
  return {
    state: { ...rest, pds: { ...state.pds, [address]: next }, ...(isDue || due === undefined ? {} : { due }) },
    items: [item],
  };
}

const pdAt = ({ pds }: MonitorState, address: number): HeardPd =>
  pds[address] ?? { session: { kind: 'none' }, fragments: {} };

interface Understood extends HeardFrame, Pick<HeardPd, 'session' | 'fragments'> {
  readonly findings: readonly Finding[];
}

function understand(state: MonitorState, pd: HeardPd, bytes: Uint8Array, received: ReceivedFrame): Understood {
  const known = [...(state.options.keys ?? []), ...state.learnt];
  const keys = known.filter(({ address }) => address === undefined || address === received.address);
  const { session, content, findings } = followSession(pd.session, keys, bytes, received);
  const frame = typeof content === 'string' ? received : content;
  const reading = readingOf(content, received.reply);
  const parts = followFragments(pd.fragments, reading);
  const more = [...keyFindings(reading, session), ...parts.findings];
  return { session, fragments: parts.next, bytes, frame, reading, findings: [...findings, ...more] };
}

function readingOf(content: Frame | HiddenReason, reply: boolean): Reading {
  if (typeof content === 'string') return { kind: 'hidden', reason: content };
  if (reply) {
    const decoded = decodeReply(content);
    return decoded.ok ? { kind: 'reply', reply: decoded.value } : { kind: 'undecodable', error: decoded.error };
  }
  const decoded = decodeCommand(content);
  return decoded.ok ? { kind: 'command', command: decoded.value } : { kind: 'undecodable', error: decoded.error };
}

function keyFindings(reading: Reading, session: HeardSession): readonly Finding[] {
  if (reading.kind !== 'command' || reading.command.name !== 'KEYSET') return [];
  const isHidden = session.kind === 'open' && !session.isDefaultKey;
  return [
    finding(
      'keySeen',
      isHidden ? 'a new key, which this monitor now has' : 'a new key, readable for everybody who listens',
    ),
  ];
}

function learn({ learnt }: MonitorState, reading: Reading): readonly MonitorKey[] {
  if (reading.kind !== 'command' || reading.command.name !== 'KEYSET') return learnt;
  const { key } = reading.command;
  return [...learnt.filter(({ scbk }) => !bytesEqual(scbk, key)), { scbk: key }].slice(-LEARNT_KEYS_MAX);
}

function sequenceFindings({ command, reply }: HeardPd, sequence: Sequence): readonly Finding[] {
  if (command === undefined || sequence === 0) return [];
  const last = command.frame.sequence;
  if (sequence === (last === 3 ? 1 : last + 1)) return [];
  if (sequence !== last) {
    return [
      finding('sequenceGap', `sequence number ${sequence} after ${last}: frames were not heard, or two ACUs speak`),
    ];
  }
  // After a NAK some stacks go on with the same number.
  const isRefused = reply?.reading.kind === 'reply' && reply.reading.reply.name === 'NAK';
  if (reply === undefined || isRefused) return [];
  return [finding('sequenceReused', `another command with sequence number ${last}: some PDs take it for a repeat`)];
}

function replyFindings({ command }: HeardPd, { sequence, code }: ReceivedFrame, isDue: boolean): readonly Finding[] {
  if (!isDue)
    return [finding('unexpectedReply', 'a reply that was not due: late, forged, or two devices at one address')];
  const asked = command?.frame.sequence;
  if (asked === undefined || sequence === asked || codeName(true, code) === 'BUSY' || codeName(true, code) === 'NAK')
    return [];
  const what = sequence === 0 ? 'the PD asks for a restart' : 'late, or for another ACU';
  return [finding('sequenceMismatch', `sequence number ${sequence} in reply to ${asked}: ${what}`)];
}

function unansweredOf({ due, pds }: MonitorState, atMs: number): readonly MonitorUnanswered[] {
  const command = due && pds[due.address]?.command;
  if (due === undefined || command === undefined) return [];
  const waitedMs = atMs - command.atMs;
  const { code } = command.frame;
  const text = `${codeName(false, code)} was ${due.garbled ? 'answered by noise: two devices at one address, or a bad line' : 'not answered'}`;
  return [{ kind: 'unanswered', atMs, ...due, code, waitedMs, text }];
}

function itemOf(
  { options }: MonitorState,
  { bytes, frame, reading }: HeardFrame,
  heard: Pick<MonitorFrame, 'atMs' | 'direction' | 'repeat' | 'findings' | 'delayMs'>,
): MonitorFrame {
  return {
    kind: 'frame',
    frame,
    bytes,
    reading,
    ...heard,
    text: readingText(frame, reading, options.showSecrets === true),
  };
}
