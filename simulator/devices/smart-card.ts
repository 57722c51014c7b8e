import { bytesToHex, type AuthenticationRequest } from '@sparc/protocol/osdp';

/** ISO 7816-4, status words. */
const OK = [0x90, 0x00];
const NOT_FOUND = [0x6a, 0x82];
const INSTRUCTION_UNKNOWN = [0x6d, 0x00];
const SELECT = 0xa4;
const GET_DATA = 0xcb;

/** A card with a chip: objects of SP 800-73, and an answer to every APDU. Its proofs are those of a toy, not of a key. */
export class SimulatedSmartCard {
  /** @param objects by object id, hexadecimal, such as `5fc102`. */
  constructor(
    readonly serial: Uint8Array,
    private readonly objects: ReadonlyMap<string, Uint8Array>,
  ) {}

  /** From an offset on; empty where the card has no such object. */
  read(objectId: string, offset: number): Uint8Array {
    return this.objects.get(objectId)?.slice(offset) ?? new Uint8Array(0);
  }

  /** The challenge backwards: enough to see that the card was asked, and what. */
  authenticate({ data }: AuthenticationRequest): Uint8Array {
    return data.slice().reverse();
  }

  /** Data, then SW1 and SW2. */
  exchange(apdu: Uint8Array): Uint8Array {
    const [, instruction, , , length = 0] = apdu;
    if (instruction === SELECT) return Uint8Array.from(OK);
    if (instruction !== GET_DATA) return Uint8Array.from(INSTRUCTION_UNKNOWN);
    const objectId = bytesToHex(apdu.subarray(2 + length, 5 + length));
    const object = this.objects.get(objectId);
    return Uint8Array.from(object === undefined ? NOT_FOUND : [...object, ...OK]);
  }
}
