/** Which part of a person BIOREAD and BIOMATCH mean (SIA OSDP v2.2, "Scan and Send Biometric Data"). */
export const BIOMETRIC_TYPE = {
  unspecified: 0x00,
  rightThumb: 0x01,
  rightIndexFinger: 0x02,
  rightMiddleFinger: 0x03,
  rightRingFinger: 0x04,
  rightLittleFinger: 0x05,
  leftThumb: 0x06,
  leftIndexFinger: 0x07,
  leftMiddleFinger: 0x08,
  leftRingFinger: 0x09,
  leftLittleFinger: 0x0a,
  rightIris: 0x0b,
  rightRetina: 0x0c,
  leftIris: 0x0d,
  leftRetina: 0x0e,
  face: 0x0f,
  rightHandGeometry: 0x10,
  leftHandGeometry: 0x11,
} as const;

export const BIOMETRIC_FORMAT = {
  unspecified: 0,
  /** Raw fingerprint image, PGM. */
  fingerprintImage: 1,
  /** ANSI/INCITS 378. */
  fingerprintTemplate: 2,
} as const;

export const BIOMETRIC_STATUS = { success: 0x00, timeout: 0x01, error: 0xff } as const;
