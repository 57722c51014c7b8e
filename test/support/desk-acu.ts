import {
  clientCryptogram,
  decodeFrame,
  decodeReply,
  deriveSessionKeys,
  encodeCommand,
  encodeFrame,
  initialRMac,
  KEY_SELECTION,
  open,
  SCBK_DEFAULT,
  SCS,
  seal,
  serverCryptogram,
  SOM,
  type Check,
  type Command,
  type EncodedMessage,
  type ReceivedFrame,
  type Reply,
  type SecureSession,
  type Sequence,
} from '@sparc/protocol/osdp';
import type { LinePort, SerialLine, VirtualClock } from '@sparc/simulator/world';

const REPLY_MS = 200;

/** What came back for one frame, however it came. */
export interface DeskAnswer {
  readonly bytes: Uint8Array;
  /** Undefined for what is no whole frame. */
  readonly frame: ReceivedFrame | undefined;
  /** Decoded, and decrypted where there is a session; undefined for what is no such reply. */
  readonly reply: Reply | undefined;
  readonly afterMs: number;
}

/** Somebody at a desk who speaks to one PD byte by byte, with no opinion on what comes back. */
export class DeskAcu {
  readonly port: LinePort;
  /** Everything that comes, as it comes. */
  onRaw: (bytes: Uint8Array) => void = () => undefined;
  sequence: Sequence = 0;
  check: Check = 'crc';
  session: SecureSession | undefined;
  #heard: { atMs: number; bytes: Uint8Array }[] = [];

  constructor(
    private readonly clock: VirtualClock,
    line: SerialLine,
    public address: number,
    baudRate = 9_600,
  ) {
    this.port = line.attach('desk', baudRate, (bytes) => {
      this.#heard.push({ atMs: clock.monotonicMs(), bytes });
      this.onRaw(bytes);
    });
  }

  /** In clear, at SQN 0, which a PD takes as a new start. */
  async ask(command: Command): Promise<Reply | undefined> {
    this.sequence = 0;
    this.session = undefined;
    return (await this.sendClear(command))?.reply;
  }

  /** In the session, with the next number. */
  async askSecure(command: Command): Promise<Reply | undefined> {
    return (await this.sendSecure(command))?.reply;
  }

  /** Shakes hands; true where both ends know the key. */
  async handshake(scbk: Uint8Array): Promise<boolean> {
    const isDefault = SCBK_DEFAULT.every((byte, index) => byte === scbk[index]);
    const selection = Uint8Array.of(isDefault ? KEY_SELECTION.scbkDefault : KEY_SELECTION.scbk);
    const rndA = Uint8Array.from({ length: 8 }, (_, index) => index + 1);
    const keys = deriveSessionKeys(scbk, rndA);
    this.sequence = 0;
    this.session = undefined;
    const ccrypt = (await this.#clear(encodeCommand({ name: 'CHLNG', rndA }), { type: SCS.challenge, data: selection }))
      ?.reply;
    if (ccrypt?.name !== 'CCRYPT') return false;
    if (clientCryptogram(keys, rndA, ccrypt.rndB).join() !== ccrypt.clientCryptogram.join()) return false;
    const cryptogram = serverCryptogram(keys, rndA, ccrypt.rndB);
    this.next();
    const scrypt = encodeCommand({ name: 'SCRYPT', serverCryptogram: cryptogram });
    const answer = await this.#clear(scrypt, { type: SCS.serverCryptogram, data: selection });
    if (answer?.frame?.securityBlock?.data[0] !== 1) return false;
    this.session = { keys, chain: initialRMac(keys, cryptogram) };
    return true;
  }

  next(): void {
    this.sequence = ((this.sequence % 3) + 1) as Sequence;
  }

  /** The next frame gets the number of the last one. */
  back(): void {
    this.sequence = this.sequence <= 1 ? 3 : this.sequence === 2 ? 1 : 2;
  }

  sendClear(command: Command, waitMs = REPLY_MS): Promise<DeskAnswer | undefined> {
    return this.#clear(encodeCommand(command), undefined, waitMs);
  }

  async sendSecure(command: Command): Promise<DeskAnswer | undefined> {
    if (this.session === undefined) throw new Error('there is no session');
    this.next();
    const { sequence, check, address } = this;
    const sealed = seal(this.session, { address, reply: false, sequence, check, ...encodeCommand(command) });
    this.session = sealed.session;
    const answer = await this.exchange(sealed.bytes);
    if (answer === undefined) return undefined;
    const opened = open(this.session, answer.bytes);
    if (!opened.ok) return answer;
    this.session = opened.value.session;
    const reply = decodeReply(opened.value.frame);
    return { ...answer, reply: reply.ok ? reply.value : undefined };
  }

  /** Any bytes, and what comes back within the time a PD has. */
  async exchange(bytes: Uint8Array, waitMs = REPLY_MS): Promise<DeskAnswer | undefined> {
    this.#heard = [];
    this.port.transmit(bytes);
    await this.clock.advance(this.port.backlogMs());
    const sentAtMs = this.clock.monotonicMs();
    await this.clock.advance(waitMs);
    const [first] = this.#heard;
    if (first === undefined) return undefined;
    const start = first.bytes.indexOf(SOM);
    const framed = first.bytes.subarray(Math.max(0, start));
    const frame = decodeFrame(framed);
    const reply = frame.ok ? decodeReply(frame.value) : frame;
    return {
      bytes: framed,
      frame: frame.ok ? frame.value : undefined,
      reply: reply.ok ? reply.value : undefined,
      afterMs: first.atMs - sentAtMs,
    };
  }

  #clear(
    message: EncodedMessage,
    securityBlock?: { type: number; data: Uint8Array },
    waitMs = REPLY_MS,
  ): Promise<DeskAnswer | undefined> {
    const { address, sequence, check } = this;
    const block = securityBlock === undefined ? {} : { securityBlock };
    return this.exchange(encodeFrame({ address, reply: false, sequence, check, ...block, ...message }), waitMs);
  }
}
