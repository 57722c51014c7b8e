import { EXTENDED_ID_TAG, type Capability, type PdId, type PdOptions } from '@sparc/protocol/osdp';

/** What a simulated device is made of. */
export interface DeviceParts {
  readonly address: number;
  readonly baudRate: number;
  /** With a key the device refuses everything in clear but the handshake. */
  readonly scbk?: Uint8Array;
  /** Without a key: takes SCBK-D, and a key under it. Default false. */
  readonly installMode?: boolean;
  /** Default: the address. */
  readonly serial?: number;
  /** Default: `FIRST_FIRMWARE`. */
  readonly firmware?: PdId['firmware'];
  readonly readerCount: number;
  readonly inputCount: number;
  readonly outputCount: number;
}

/** Vendor of locally administered devices: no maker's OUI. */
export const SIMULATED_VENDOR = '0a0b0c';
const RECEIVE_BUFFER_SIZE = 512;
const COMBINED_SIZE_MAX = 8_192;
const FILE_SIZE_MAX = 1_048_576;
/** Of PDID: firmware of one model is refused by the other. */
export const MODEL = { reader: 1, ioModule: 2 } as const;
export const FIRST_FIRMWARE = { major: 1, minor: 0, build: 0 } as const;

/** The PD that such a device is, with capabilities as IEC 60839-11-5, Annex B names them. */
export function pdProfile(parts: DeviceParts): PdOptions {
  const { address, baudRate, scbk, installMode = false, serial = address, firmware = FIRST_FIRMWARE } = parts;
  const { readerCount, inputCount, outputCount } = parts;
  const capability = (fn: number, compliance: number, count: number): Capability => ({
    function: fn,
    compliance,
    count,
  });
  const hasReader = readerCount > 0;
  const model = hasReader ? MODEL.reader : MODEL.ioModule;
  return {
    address,
    baudRate,
    ...(scbk === undefined ? {} : { scbk }),
    requireSecureChannel: scbk !== undefined,
    installMode,
    id: {
      vendor: SIMULATED_VENDOR,
      model,
      version: 1,
      serial,
      firmware,
    },
    capabilities: [
      ...(inputCount > 0 ? [capability(1, 2, inputCount)] : []),
      ...(outputCount > 0 ? [capability(2, 4, outputCount)] : []),
      ...(hasReader ? [capability(3, 1, 0), capability(4, 4, 1), capability(5, 2, 0), capability(6, 1, 1)] : []),
      capability(8, 1, 0),
      capability(9, 1, 0),
      capability(10, RECEIVE_BUFFER_SIZE & 0xff, RECEIVE_BUFFER_SIZE >> 8),
      capability(11, COMBINED_SIZE_MAX & 0xff, COMBINED_SIZE_MAX >> 8),
      ...(hasReader ? [capability(12, 1, 0), capability(13, 0, readerCount), capability(14, 1, 1)] : []),
      capability(16, 2, 0),
      capability(17, 1, 0),
    ],
    extendedId: [
      { tag: EXTENDED_ID_TAG.manufacturer, text: 'SPARC simulator' },
      { tag: EXTENDED_ID_TAG.product, text: hasReader ? 'Reader' : 'I/O module' },
      { tag: EXTENDED_ID_TAG.serial, text: String(serial) },
    ],
    manufacturerVendors: [SIMULATED_VENDOR],
    file: { sizeMax: FILE_SIZE_MAX },
    inputCount,
    outputCount,
    readerCount,
    ledsPerReader: 1,
  };
}
