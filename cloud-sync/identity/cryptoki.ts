import { createRequire } from 'node:module';
import { SparcError } from '@sparc/protocol/errors';

export type Handle = Buffer;

interface Attribute {
  readonly type: number;
  readonly value?: Buffer | boolean | number | string;
}
interface Mechanism {
  readonly mechanism: number;
  readonly parameter: null;
}

/**
 * What is used of `pkcs11js`. Its types are not: it is compiled where it is installed, and so it may be absent. Each call throws
 * an Error whose message is the name of what the module answered (`CKR_PIN_INCORRECT`).
 */
export interface Cryptoki {
  load(path: string): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): readonly Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle, maxObjectCount: number): readonly Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(
    session: Handle,
    object: Handle,
    template: readonly Attribute[],
  ): readonly { readonly value: Buffer }[];
  C_GenerateKeyPair(
    session: Handle,
    mechanism: Mechanism,
    publicTemplate: readonly Attribute[],
    privateTemplate: readonly Attribute[],
  ): { readonly publicKey: Handle; readonly privateKey: Handle };
  C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, out: Buffer): Buffer;
}

/** Of PKCS #11, as far as an Ed25519 key takes them (3.0, where they are no part of 2.40). */
export const CKF = { RW_SESSION: 0x2, SERIAL_SESSION: 0x4 } as const;
export const CKU_USER = 1;
export const CKO = { PUBLIC_KEY: 2, PRIVATE_KEY: 3 } as const;
export const CKA = {
  CLASS: 0x0,
  TOKEN: 0x1,
  PRIVATE: 0x2,
  LABEL: 0x3,
  SENSITIVE: 0x103,
  SIGN: 0x108,
  VERIFY: 0x10a,
  EXTRACTABLE: 0x162,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
} as const;
export const CKM = {
  EC_EDWARDS_KEY_PAIR_GEN: { mechanism: 0x1055, parameter: null },
  EDDSA: { mechanism: 0x1057, parameter: null },
} as const;

/** A PKCS#11 module in this process. Throws ERR_AUTHORITY_TOKEN_ABSENT. */
export function loadCryptoki(path: string): Cryptoki {
  try {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { readonly PKCS11: new () => Cryptoki };
    const module = new PKCS11();
    module.load(path);
    return module;
  } catch (cause) {
    throw new SparcError('ERR_AUTHORITY_TOKEN_ABSENT', `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}
