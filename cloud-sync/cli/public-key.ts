import { InvalidArgumentError } from 'commander';

/** As an option or an argument. */
export function publicKey(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('It is not a public key of 64 hexadecimal digits.');
}
