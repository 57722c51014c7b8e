/** Error codes of NAK (SIA OSDP v2.2, "Negative Acknowledge"). Others are treated as a general failure. */
export const NAK = {
  none: 0,
  badCheck: 1,
  commandLength: 2,
  commandUnknown: 3,
  sequence: 4,
  securityUnsupported: 5,
  encryptionRequired: 6,
  biometricType: 7,
  biometricFormat: 8,
  record: 9,
} as const;

const MEANINGS: Readonly<Record<number, string>> = {
  [NAK.badCheck]: 'bad check',
  [NAK.commandLength]: 'bad command length',
  [NAK.commandUnknown]: 'unknown command',
  [NAK.sequence]: 'unexpected sequence number',
  [NAK.securityUnsupported]: 'unsupported security block or no such key',
  [NAK.encryptionRequired]: 'encrypted communication required',
  [NAK.biometricType]: 'biometric type not supported',
  [NAK.biometricFormat]: 'biometric format not supported',
  [NAK.record]: 'unable to process the record',
};

/** The meaning of a NAK error code, for people. */
export const nakMeaning = (error: number): string => MEANINGS[error] ?? `error ${error}`;
