const POLYNOMIAL = 0x1021;
const INITIAL = 0x1d0f;

const TABLE = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? POLYNOMIAL : 0)) & 0xffff;
  return crc;
});

/** CRC-16/SPI-FUJITSU (AUG-CCITT) over SOM to the last byte before the CRC (SIA OSDP v2.2, "CRC"). Sent low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = INITIAL;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc;
}
