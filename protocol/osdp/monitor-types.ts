import type { CodecError } from './codec-error.js';
import type { Command } from './commands.js';
import type { Frame } from './frame.js';
import type { Reply } from './replies.js';

/** A Secure Channel Base Key that the monitor may read with; SCBK-D, which everybody has, it tries by itself. */
export interface MonitorKey {
  /** 16 bytes. */
  readonly scbk: Uint8Array;
  /** The PD that it belongs to; without, it is tried for all. */
  readonly address?: number;
}

export interface MonitorOptions {
  readonly keys?: readonly MonitorKey[];
  /** Shows card numbers, PINs and keys in `text`, which masks them otherwise. */
  readonly showSecrets?: boolean;
  /** Silence inside a frame that ends it, in milliseconds. Default 150, for adapters that deliver in bursts. */
  readonly interCharacterTimeoutMs?: number;
}

export type Direction = 'acu' | 'pd';

export interface MonitorInput {
  /** When `bytes` had arrived, in milliseconds on any clock that does not step. Infinity ends what is held. */
  readonly atMs: number;
  /** Whatever was heard, whole frames or not. Empty: time has passed. */
  readonly bytes: Uint8Array;
  /** Who sent them, where they were tapped at one end. Each direction is then searched for frames by itself. */
  readonly direction?: Direction;
}

/** What a frame says, or why that cannot be seen. */
export type Reading =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'hidden'; readonly reason: HiddenReason }
  /** In plain text, and no message of the registry. */
  | { readonly kind: 'undecodable'; readonly error: CodecError };

export type HiddenReason =
  /** None of the keys made this session. */
  | 'noKey'
  /** The handshake was not heard. */
  | 'sessionBeganBefore'
  /** The MAC does not fit: a frame before this one was not heard, or this one is forged. */
  | 'chainBroken';

export const HIDDEN_REASONS: Readonly<Record<HiddenReason, string>> = {
  noKey: 'no key for this session',
  sessionBeganBefore: 'its handshake was not heard: the session began before the capture',
  chainBroken: 'its MAC does not fit: a frame before it was not heard, or it is forged',
};

/** Something about a frame that a person should know. */
export interface Finding {
  readonly code: FindingCode;
  readonly text: string;
}

export type FindingCode =
  | 'sessionOpened'
  /** A session is up, and its data cannot be read. */
  | 'sessionHidden'
  | 'sessionRefused'
  | 'sessionEnded'
  /** A session under SCBK-D hides nothing from anybody. */
  | 'defaultKey'
  /** KEYSET could be read: from now on this monitor has the new key. */
  | 'keySeen'
  /** Clear text where a session is up. */
  | 'clearInSession'
  /** A status inside a session, authentic and not encrypted. */
  | 'plainInSession'
  /** A sequence number was left out: frames were not heard, or two ACUs speak. */
  | 'sequenceGap'
  /** A new command with the sequence number of the last one, which some PDs take for a repeat. */
  | 'sequenceReused'
  /** The reply has not the sequence number of its command. */
  | 'sequenceMismatch'
  /** Nobody had asked this address, or it has answered already. */
  | 'unexpectedReply'
  /** A part of a multi-part message or of a file that does not continue the one before it. */
  | 'fragmentGap';

export interface MonitorFrame {
  readonly kind: 'frame';
  /** When its last byte had arrived. */
  readonly atMs: number;
  readonly direction: Direction;
  /** Its payload is plain text exactly where `reading` is not `hidden`. It may be a secret: print `text` alone. */
  readonly frame: Frame;
  /** As it was on the line, from SOM to the check. */
  readonly bytes: Uint8Array;
  readonly reading: Reading;
  /** The same bytes again, because the first were not answered or their answer was not heard. */
  readonly repeat: boolean;
  /** Of a reply: from the end of its command to its own end. */
  readonly delayMs?: number;
  readonly findings: readonly Finding[];
  /** One line for people, without time and address. */
  readonly text: string;
}

/** Bytes that are no frame. */
export interface MonitorNoise {
  readonly kind: 'noise';
  readonly atMs: number;
  readonly bytes: Uint8Array;
  readonly damage: 'badCheck' | 'cutShort' | 'malformed' | 'stray';
  readonly text: string;
}

/** A command that got no reply before the next command was sent. */
export interface MonitorUnanswered {
  readonly kind: 'unanswered';
  readonly atMs: number;
  readonly address: number;
  /** Of the command. */
  readonly code: number;
  readonly waitedMs: number;
  /** Bytes came in place of the reply: two PDs at once, or a bad line. */
  readonly garbled: boolean;
  readonly text: string;
}

export type MonitorItem = MonitorFrame | MonitorNoise | MonitorUnanswered;
