import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { Signer } from '@sparc/protocol/ports';
import { nodeCrypto } from '../platform/index.js';
import { CKA, CKF, CKM, CKO, CKU_USER, loadCryptoki, type Cryptoki, type Handle } from './cryptoki.js';

export interface TokenPlace {
  /** Path of the PKCS#11 module, a shared library. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  /** Of its user. */
  readonly pin: string;
}

interface Session {
  readonly cryptoki: Cryptoki;
  readonly handle: Handle;
}

/** Object identifier of Ed25519 (RFC 8410, 3), DER. */
const ED25519 = Buffer.from('06032b6570', 'hex');
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEYS_LOOKED_AT = 2;

/**
 * A token that is reached over PKCS#11, such as an HSM, with Ed25519 keys that never leave it. One session, opened when it is
 * needed first, and again after the token was away. Calls hold up this thread for as long as the token takes.
 */
export class Token {
  #session: Session | undefined;
  #cryptoki: Cryptoki | undefined;
  /** Modules look for tokens when they are initialised. */
  #hasToLookAgain = false;
  /** A token locks itself after some wrong ones: this process tries none again. */
  #pinRefused: SparcError | undefined;

  constructor(private readonly place: TokenPlace) {}

  /** Throws ERR_AUTHORITY_TOKEN_ABSENT, ERR_AUTHORITY_TOKEN_PIN or ERR_AUTHORITY_TOKEN_FAILED. */
  find(label: string): Signer | undefined {
    const held = this.#session;
    try {
      return this.#inSession((session) => this.#find(session, label));
    } catch (error) {
      // It may have been away meanwhile: once more, in a session of its own.
      if (held === undefined) throw error;
      return this.#inSession((session) => this.#find(session, label));
    }
  }

  /** A new key, unless one is there already. Throws as `find`. */
  make(label: string): Signer {
    return this.find(label) ?? this.#inSession((session) => this.#make(session, label));
  }

  #find(session: Session, label: string): Signer | undefined {
    const [privateKey, publicKey] = [CKO.PRIVATE_KEY, CKO.PUBLIC_KEY].map((kind) => only(session, kind, label));
    if (privateKey === undefined || publicKey === undefined) return undefined;
    return this.#signer(session, privateKey, publicKey);
  }

  #make(session: Session, label: string): Signer {
    const { cryptoki, handle } = session;
    const both = [
      { type: CKA.TOKEN, value: true },
      { type: CKA.LABEL, value: label },
    ];
    const { privateKey, publicKey } = cryptoki.C_GenerateKeyPair(
      handle,
      CKM.EC_EDWARDS_KEY_PAIR_GEN,
      [...both, { type: CKA.VERIFY, value: true }, { type: CKA.EC_PARAMS, value: ED25519 }],
      [
        ...both,
        { type: CKA.SIGN, value: true },
        { type: CKA.PRIVATE, value: true },
        { type: CKA.SENSITIVE, value: true },
        { type: CKA.EXTRACTABLE, value: false },
      ],
    );
    return this.#signer(session, privateKey, publicKey);
  }

  #signer(of: Session, privateKey: Handle, publicHandle: Handle): Signer {
    const [point] = of.cryptoki.C_GetAttributeValue(of.handle, publicHandle, [{ type: CKA.EC_POINT }]);
    const publicKey = keyOfPoint(point?.value ?? Buffer.alloc(0));
    const sign = (message: Uint8Array) =>
      this.#inSession((session) => {
        // In another session the handle may be of another key.
        if (session !== of) throw new Error('it was away meanwhile');
        session.cryptoki.C_SignInit(session.handle, CKM.EDDSA, privateKey);
        const out = Buffer.alloc(SIGNATURE_BYTES);
        const signature = Uint8Array.from(session.cryptoki.C_Sign(session.handle, Buffer.from(message), out));
        // What was signed wrong would end the log of an authority: nobody takes what follows on it.
        if (nodeCrypto.verify(publicKey, message, signature)) return signature;
        throw new Error('its signature is not one of its key');
      });
    return { publicKey, sign };
  }

  /** What fails ends the session: the next use opens another one. */
  #inSession<T>(work: (session: Session) => T): T {
    if (this.#pinRefused !== undefined) throw this.#pinRefused;
    try {
      return work((this.#session ??= this.#open()));
    } catch (cause) {
      this.#session = undefined;
      this.#hasToLookAgain = true;
      const error = failed(this.place.token, cause);
      if (error.code === 'ERR_AUTHORITY_TOKEN_PIN') this.#pinRefused = error;
      throw error;
    }
  }

  #open(): Session {
    const { module, token, pin } = this.place;
    const cryptoki = (this.#cryptoki ??= loadCryptoki(module));
    if (this.#hasToLookAgain) unless('CKR_CRYPTOKI_NOT_INITIALIZED', () => cryptoki.C_Finalize());
    unless('CKR_CRYPTOKI_ALREADY_INITIALIZED', () => cryptoki.C_Initialize());
    const slot = cryptoki.C_GetSlotList(true).find((each) => labelOf(cryptoki, each) === token);
    if (slot === undefined) throw new SparcError('ERR_AUTHORITY_TOKEN_ABSENT', `there is no token '${token}'`);
    const handle = cryptoki.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
    unless('CKR_USER_ALREADY_LOGGED_IN', () => cryptoki.C_Login(handle, CKU_USER, pin));
    return { cryptoki, handle };
  }
}

/** Undefined for a token that is none of this module. */
function labelOf(cryptoki: Cryptoki, slot: Handle): string | undefined {
  try {
    return cryptoki.C_GetTokenInfo(slot).label.trimEnd();
  } catch {
    return undefined;
  }
}

/** Does not mind this one answer. */
function unless(answer: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as Error).message !== answer) throw error;
  }
}

/** The one object of this class and label. */
function only({ cryptoki, handle }: Session, kind: number, label: string): Handle | undefined {
  cryptoki.C_FindObjectsInit(handle, [
    { type: CKA.CLASS, value: kind },
    { type: CKA.LABEL, value: label },
  ]);
  const [found, second] = cryptoki.C_FindObjects(handle, KEYS_LOOKED_AT);
  cryptoki.C_FindObjectsFinal(handle);
  if (second === undefined) return found;
  throw new Error(`more than one key is called ${label}`);
}

/** An OCTET STRING or a BIT STRING around the key, or the key alone: tokens differ (PKCS #11 3.0, 2.3.5). */
function keyOfPoint(point: Buffer): Uint8Array {
  const head = point.subarray(0, -KEY_BYTES).toString('hex');
  if (point.length >= KEY_BYTES && ['', '0420', '032100'].includes(head)) {
    return Uint8Array.from(point.subarray(-KEY_BYTES));
  }
  throw new Error(`a key of ${point.length} bytes is none of Ed25519`);
}

const AWAY: ReadonlySet<string> = new Set(['CKR_DEVICE_REMOVED', 'CKR_TOKEN_NOT_PRESENT', 'CKR_SLOT_ID_INVALID']);

function failed(token: string, cause: unknown): SparcError {
  if (cause instanceof SparcError) return cause;
  const { message } = cause as Error;
  return new SparcError(codeOf(message), `token '${token}': ${message}`, { token }, { cause });
}

function codeOf(answer: string): ErrorCode {
  if (answer.startsWith('CKR_PIN_')) return 'ERR_AUTHORITY_TOKEN_PIN';
  return AWAY.has(answer) ? 'ERR_AUTHORITY_TOKEN_ABSENT' : 'ERR_AUTHORITY_TOKEN_FAILED';
}
