/** Two's complement of the sum of SOM to the last byte before it, so that all bytes sum to 0 (SIA OSDP v2.2, "Checksum"). */
export function checksum8(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}
