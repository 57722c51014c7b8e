/**
 * The keys of a KEYPAD reply as digits, `*` and `#`. The standard sends ASCII digits, 0x7F ("delete") for `*` and 0x0D
 * ("enter") for `#`; readers in the field also send the ASCII characters 0x2A and 0x23, or digits as 0x00 to 0x09.
 * Other bytes are left out.
 */
export function keypadText(keys: Uint8Array): string {
  return Array.from(keys, keypadCharacter).join('');
}

function keypadCharacter(key: number): string {
  if (key >= 0x30 && key <= 0x39) return String.fromCharCode(key);
  if (key <= 0x09) return String(key);
  if (key === 0x7f || key === 0x2a) return '*';
  if (key === 0x0d || key === 0x23) return '#';
  return '';
}
