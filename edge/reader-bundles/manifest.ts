import { Type, type Static, type TProperties } from '@sinclair/typebox';

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const Byte = Type.Integer({ minimum: 0, maximum: 255 });
const Firmware = Type.String({
  pattern: '^(\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])(\\.(\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])){2}$',
  description: 'major.minor.build in quotes, 0 to 255 each, as PDID has it',
});

/** What a person writes down to make a bundle. Vendor, model, hardware and firmware are those of PDID. */
export const BundleDescription = closed({
  name: Type.String({ minLength: 1, maxLength: 128 }),
  version: Type.String({ minLength: 1, maxLength: 32 }),
  content: Type.Union([Type.Literal('firmware'), Type.Literal('configuration')]),
  target: closed({
    vendor: Type.String({ pattern: '^[0-9a-f]{6}$', description: 'an OUI, 6 lower-case hexadecimal digits in quotes' }),
    models: Type.Array(Byte, { minItems: 1 }),
    hardwareVersions: Type.Optional(Type.Array(Byte, { minItems: 1 })),
    firmwareMin: Type.Optional(Firmware),
    firmwareMax: Type.Optional(Firmware),
  }),
  /** What PDID shows once the device runs it. */
  firmwareAfter: Type.Optional(Firmware),
  /** Type byte of FILETRANSFER (SIA OSDP v2.2, "File Transfer Command"): 1 opaque, 0x80 up private. */
  fileType: Type.Integer({ minimum: 1, maximum: 255, default: 1 }),
});
export type BundleDescription = Static<typeof BundleDescription>;

/** What is signed: the description, and which bytes it is about. */
export const BundleManifest = closed({
  ...BundleDescription.properties,
  payload: closed({
    sizeBytes: Type.Integer({ minimum: 1 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  }),
});
export type BundleManifest = Static<typeof BundleManifest>;
