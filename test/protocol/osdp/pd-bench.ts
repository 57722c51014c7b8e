import {
  type Command,
  createPd,
  decodeFrame,
  decodeReply,
  encodeCommand,
  encodeFrame,
  type PdEffect,
  type PdEvent,
  type PdOptions,
  type PdState,
  type ReceivedFrame,
  type Reply,
  type SecurityBlock,
  type Sequence,
  stepPd,
} from '@sparc/protocol/osdp';
import { PD_OPTIONS } from './virtual-line.js';

/** A PD alone, asked byte by byte. */
export class PdBench {
  pd: PdState;
  nowMs = 1_000;
  effects: PdEffect[] = [];
  rndB: Uint8Array = new Uint8Array(8);

  constructor(options: Partial<PdOptions> = {}) {
    this.pd = createPd({ ...PD_OPTIONS, requireSecureChannel: false, ...options });
  }

  /** The bytes that answer, from SOM on; undefined for silence. */
  send(bytes: Uint8Array): Uint8Array | undefined {
    const { state, effects } = stepPd(this.pd, { kind: 'bytes', nowMs: this.nowMs, bytes, rndB: this.rndB });
    this.pd = state;
    this.effects.push(...effects);
    const sent = effects.find((effect) => effect.kind === 'transmit');
    return sent?.kind === 'transmit' ? sent.bytes.slice(1) : undefined;
  }

  ask(sequence: Sequence, command: Command, block?: SecurityBlock): { frame: ReceivedFrame; reply: Reply } {
    const answer = this.send(commandFrame(sequence, command, block));
    if (answer === undefined) throw new Error('silence');
    return readReply(answer);
  }

  event(event: PdEvent): void {
    this.pd = stepPd(this.pd, { kind: 'event', nowMs: this.nowMs, event }).state;
  }

  pass(durationMs: number): void {
    this.nowMs += durationMs;
    const { state, effects } = stepPd(this.pd, { kind: 'time', nowMs: this.nowMs });
    this.pd = state;
    this.effects.push(...effects);
  }

  of<K extends PdEffect['kind']>(kind: K): Extract<PdEffect, { kind: K }>[] {
    return this.effects.filter((effect): effect is Extract<PdEffect, { kind: K }> => effect.kind === kind);
  }
}

export function commandFrame(sequence: Sequence, command: Command, block?: SecurityBlock): Uint8Array {
  const frame = { address: 0x65, reply: false, sequence, check: 'crc', ...encodeCommand(command) } as const;
  return encodeFrame(block === undefined ? frame : { ...frame, securityBlock: block });
}

export function readReply(bytes: Uint8Array): { frame: ReceivedFrame; reply: Reply } {
  const frame = decodeFrame(bytes);
  if (!frame.ok) throw frame.error;
  const reply = decodeReply(frame.value);
  if (!reply.ok) throw reply.error;
  return { frame: frame.value, reply: reply.value };
}
