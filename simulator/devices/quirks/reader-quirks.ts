/**
 * What readers on real walls do beside the standard, by name. Each was seen in a stack or a recording; the fact sheet of a
 * stack is named where there is one. A device takes any set of them, in code, in drawn worlds and while it runs.
 */
export const READER_QUIRKS = {
  /** Takes and sends checksums alone and says so in PDCAP 8; frames with a CRC are passed over. */
  checksumOnly: 'hears and sends checksums only, and says so',
  /** The same, but PDCAP 8 claims CRC-16. */
  claimsCrcHearsChecksum: 'claims CRC, and hears checksums only',
  /** PDID without its firmware version: 9 bytes for 12. */
  shortPdid: 'sends a PDID without a firmware version',
  /** Half a record behind the last one of PDCAP. */
  tailedPdcap: 'sends a PDCAP with half a record at its end',
  /** Functions that nobody knows before those that everybody needs; libosdp stops reading there. */
  unknownCapabilities: 'lists unknown capabilities first',
  /** ISTATR with one input more than PDCAP 1 counts; libosdp goes offline. */
  oddInputCount: 'reports more inputs than it has',
  /** `*` and `#` as 0x2A and 0x23, digits as 0x00 to 0x09. */
  starHashAsAscii: 'sends * and # as ASCII and digits as numbers',
  /** Bits behind the last one of a card are left as they were in memory. */
  paddingGarbage: 'leaves garbage in the padding of a card read',
  /** Cards as characters, which the standard has given up. */
  fmtCards: 'reports cards as characters',
  /** No 0xFF before a frame. */
  omitsMark: 'sends no mark before a frame',
  /** BUSY to every fifth command. */
  busyOften: 'answers BUSY often',
  /** One answer in twenty comes after the ACU has given up waiting. */
  lateReplies: 'answers late now and then',
  /** A watchdog starts it anew, and it is deaf for a second and a half. */
  resetsOften: 'restarts now and then',
  /** One ACK of a session in twenty is in clear, and its session is over. */
  answersClearInSession: 'answers in clear inside a session now and then',
  /** Has lost count now and then: NAK 4, with the SQN that it expected in place of the command's (libosdp). */
  echoesExpectedSequence: 'answers NAK 4 now and then, with the sequence number it expected',
  /** SQN 0 after another number is NAK 4 the first time (readers that libosdp issues 244 and 287 tell of). */
  naksSequenceInsteadOfRestart: 'answers a restart at SQN 0 by NAK 4 first',
  /** BUZ is refused by NAK 3, and what is refused is not counted: the next command must have the same number. */
  nakDoesNotCount: 'refuses BUZ, and does not count what it refuses',
  /** ID in clear is NAK 6, as everything but the handshake is. */
  refusesIdInClear: 'answers ID in clear by NAK 6',
  /** COMSET in clear is NAK 6 even from the factory: an address needs a session under SCBK-D. */
  refusesComsetInClear: 'takes a new address inside a session only',
  /** COM keeps the rate that the device has. */
  comsetIgnoresBaud: 'takes a new address and keeps its rate',
  /** COM says the new values, and the old ones stay in force. */
  comsetWithoutEffect: 'acknowledges COMSET and stays where it is',
  /** The session ends with the ACK to KEYSET (libosdp). */
  dropsSessionAfterKeyset: 'ends its session after KEYSET',
  /** The ACK to KEYSET is in clear, since the session is over. */
  ackKeysetInClear: 'acknowledges KEYSET in clear',
  /** Status inside a session is plain text under a MAC, in SCS_15 (libosdp). */
  clearStatusReplies: 'sends status inside a session as plain text under a MAC',
  /** The answer of a card in XRD reply 1, without a status byte (OSDP.Net). */
  xrdPreply1: 'answers an APDU in XRD reply 1',
  /** Fragments of a file alone until its end. */
  exclusiveTransfer: 'takes a file only without other commands between',
  /** 200 ms after each fragment, and three seconds for the whole file. */
  slowTransfer: 'takes its time over a file',
  /** Another serial number at each start: somebody has swapped it. */
  wrongSerialAfterSwap: 'has another serial number after each start',
} as const satisfies Readonly<Record<string, string>>;

export type ReaderQuirk = keyof typeof READER_QUIRKS;
export const READER_QUIRK_NAMES = Object.keys(READER_QUIRKS) as ReaderQuirk[];

/** Which quirks a device has, and how often each has shown. */
export class QuirkSet {
  readonly fired = new Map<ReaderQuirk, number>();
  #names: ReadonlySet<ReaderQuirk>;

  constructor(names: Iterable<ReaderQuirk> = []) {
    this.#names = new Set(names);
  }

  get names(): readonly ReaderQuirk[] {
    return [...this.#names];
  }

  set(names: Iterable<ReaderQuirk>): void {
    this.#names = new Set(names);
  }

  has(name: ReaderQuirk): boolean {
    return this.#names.has(name);
  }

  /** True where the device has the quirk, which then counts as shown. */
  shows(name: ReaderQuirk): boolean {
    if (!this.#names.has(name)) return false;
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
    return true;
  }
}
