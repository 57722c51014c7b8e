import {
  BIOMETRIC_STATUS,
  type PdEffect,
  type PdEvent,
  type TransparentCommand,
  type TransparentReply,
} from '@sparc/protocol/osdp';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { FirmwareSlot } from './firmware-slot.js';
import type { SimulatedSmartCard } from './smart-card.js';

/** A sensor waits so long for a finger. */
const FINGER_WAIT_MS = 5_000;
const SCAN_MS = 300;
const CHIP_MS = 40;
/** A file is checked and written so long after its last byte. */
const FILE_CHECK_MS = 200;
const SLOW_FILE_CHECK_MS = 3_000;
/** XRD error for "no card" has no number in the standard; 1 is what the field uses. */
const NO_CARD = 1;
const CARD_PRESENT_CONTACTLESS = 2;
const PROTOCOL_ISO14443 = 1;
const SCORE_MAX = 255;

/** What the body of a device is asked for by the machine inside. */
export type BodyEffect = Extract<
  PdEffect,
  { kind: 'biometricRequest' | 'pivDataRequest' | 'authenticate' | 'smartCard' | 'manufacturer' | 'file' | 'abort' }
>;

/** Sensor, chip reader and memory for files, around a PD machine: does what is asked and reports it, after a while. */
export class DeviceBody {
  slowWithFiles = false;
  #finger: Uint8Array | undefined;
  #card: SimulatedSmartCard | undefined;
  #pending = new Set<Timer>();
  /** Asked for a finger, and none is there yet. */
  #awaited: { readonly answer: () => void; readonly timeout: Timer } | undefined;

  constructor(
    private readonly clock: Clock,
    readonly files: FirmwareSlot,
    private readonly report: (event: PdEvent) => void,
  ) {}

  /** A finger on the sensor, as its template; undefined lifts it. */
  layFinger(template: Uint8Array | undefined): void {
    this.#finger = template;
    if (template === undefined || this.#awaited === undefined) return;
    const { answer, timeout } = this.#awaited;
    this.#awaited = undefined;
    timeout.cancel();
    this.#after(SCAN_MS, answer);
  }

  /** A card with a chip in the field; undefined takes it away. */
  holdCard(card: SimulatedSmartCard | undefined): void {
    this.#card = card;
  }

  act(effect: BodyEffect): void {
    switch (effect.kind) {
      case 'biometricRequest':
        return this.#scan(effect.command);
      case 'pivDataRequest': {
        const data = this.#card?.read(effect.objectId, effect.offset) ?? new Uint8Array(0);
        return this.#after(CHIP_MS, () => this.report({ kind: 'pivData', data }));
      }
      case 'authenticate': {
        const data = this.#card?.authenticate(effect.request) ?? new Uint8Array(0);
        return this.#after(CHIP_MS, () => this.report({ kind: 'authenticated', name: effect.name, data }));
      }
      case 'smartCard':
        return this.#transparent(effect.command);
      case 'manufacturer':
        // The maker's own test command: the device says what it heard.
        return this.#after(CHIP_MS, () => this.report(effect));
      case 'file': {
        const { offset, data, totalSize, complete } = effect;
        const verdict = this.files.receive(offset, data, totalSize, complete);
        const checkMs = complete ? (this.slowWithFiles ? SLOW_FILE_CHECK_MS : FILE_CHECK_MS) : 0;
        if (verdict !== undefined) this.#after(checkMs, () => this.report({ kind: 'file', verdict }));
        return;
      }
      case 'abort':
        return this.stop();
    }
  }

  /** Power is gone, or the ACU wants nothing more: no answer comes. */
  stop(): void {
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
    this.#awaited?.timeout.cancel();
    this.#awaited = undefined;
  }

  #scan(command: Extract<BodyEffect, { kind: 'biometricRequest' }>['command']): void {
    const { reader, type } = command;
    const quality = SCORE_MAX;
    const tell = (status: number) => {
      const template = this.#finger ?? new Uint8Array(0);
      if (command.name === 'BIOREAD')
        return this.report({ kind: 'biometricRead', reader, status, type, quality, template });
      const isSame = status === BIOMETRIC_STATUS.success && template.join() === command.template.join();
      this.report({ kind: 'biometricMatch', reader, status, score: isSame ? SCORE_MAX : 0 });
    };
    const answer = () => tell(BIOMETRIC_STATUS.success);
    if (this.#finger !== undefined) return this.#after(SCAN_MS, answer);
    this.#awaited?.timeout.cancel();
    const timeout = this.clock.setTimer(FINGER_WAIT_MS, () => {
      this.#awaited = undefined;
      tell(BIOMETRIC_STATUS.timeout);
    });
    this.#awaited = { answer, timeout };
  }

  #transparent(command: TransparentCommand): void {
    const reply = this.#chipAnswer(command);
    if (reply !== undefined) this.#after(CHIP_MS, () => this.report({ kind: 'smartCard', reply }));
  }

  #chipAnswer(command: TransparentCommand): TransparentReply | undefined {
    const card = this.#card;
    switch (command.kind) {
      case 'getMode':
      case 'terminate':
      case 'enterPin':
        return undefined;
      case 'setMode':
        return card !== undefined && command.reportCards
          ? {
              kind: 'cardInfo',
              reader: 0,
              protocol: PROTOCOL_ISO14443,
              serial: card.serial,
              protocolData: new Uint8Array(0),
            }
          : undefined;
      case 'scan':
        return {
          kind: 'cardPresent',
          reader: command.reader,
          status: card === undefined ? 0 : CARD_PRESENT_CONTACTLESS,
        };
      case 'sendApdu':
        return card === undefined
          ? { kind: 'error', mode: 1, error: NO_CARD }
          : { kind: 'apdu', reader: command.reader, status: 0, apdu: card.exchange(command.apdu) };
    }
  }

  #after(delayMs: number, act: () => void): void {
    const timer = this.clock.setTimer(delayMs, () => {
      this.#pending.delete(timer);
      act();
    });
    this.#pending.add(timer);
  }
}
