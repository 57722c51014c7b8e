import type { ByteWriter } from './byte-cursor.js';
import { CodecError } from './codec-error.js';
import { type Codec, longBytes, rest, secret, struct, u16, u8 } from './schema.js';

/** One part of a message that is longer than a frame. The last one ends at `totalSize` bytes. */
export interface Fragment {
  readonly totalSize: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

/** Header and bytes of one fragment (SIA OSDP v2.2, "Multi-Part Messages"). */
export const fragment: Codec<Fragment> = struct({ totalSize: u16, offset: u16, data: secret(longBytes) });

/**
 * The same for GENAUTH and CRAUTH, whose message begins with the algorithm and the key reference. Some stacks count these
 * two bytes in the message and some do not: what stands there uncounted, in the first fragment alone, is `head`.
 */
export interface AuthenticationFragment extends Fragment {
  /** Algorithm and key reference where they are not counted; else empty, and they are the first two bytes of all. */
  readonly head: Uint8Array;
}

const HEADER_SIZE = 6;
export const AUTHENTICATION_HEAD_SIZE = 2;

export const authenticationFragment: Codec<AuthenticationFragment> = {
  read(reader) {
    const [totalSize, offset, size] = [reader.takeUint(2), reader.takeUint(2), reader.takeUint(2)];
    const headed = offset === 0 && reader.remaining === size + AUTHENTICATION_HEAD_SIZE;
    const head = reader.take(headed ? AUTHENTICATION_HEAD_SIZE : 0);
    return { totalSize, offset, head, data: reader.take(size) };
  },
  write(writer, { totalSize, offset, head, data }) {
    if (head.length !== 0 && (head.length !== AUTHENTICATION_HEAD_SIZE || offset !== 0)) {
      throw new CodecError('ERR_OSDP_VALUE', 'head: two bytes, in the first fragment alone');
    }
    u16.write(writer, totalSize);
    u16.write(writer, offset);
    u16.write(writer, data.length);
    writer.put(head);
    writer.put(data);
  },
  format: (value, secretsShown) => fragment.format(value, secretsShown),
};

/** A template, whole or in fragments. */
export interface BiometricFragment extends Fragment {
  readonly reader: number;
  readonly status: number;
  readonly type: number;
  readonly quality: number;
}

const BIOMETRIC_HEAD_SIZE = 4;
const biometricHead = struct({ reader: u8, status: u8, type: u8, quality: u8 });

/** BIOREADR: a whole template behind its size, or a fragment behind the header of a multi-part message. */
export const biometricFragment: Codec<BiometricFragment> = {
  read(reader) {
    const head = biometricHead.read(reader);
    const size = reader.takeUint(2);
    if (size === reader.remaining) return { ...head, totalSize: size, offset: 0, data: rest.read(reader) };
    return { ...head, totalSize: size, offset: reader.takeUint(2), data: longBytes.read(reader) };
  },
  write(writer, value) {
    biometricHead.write(writer, value);
    if (isWhole(value)) longBytes.write(writer, value.data);
    else writeUnmistakably(writer, value);
  },
  format: (value, secretsShown) =>
    `${biometricHead.format(value, secretsShown)} ${fragment.format(value, secretsShown)}`,
};

/** A message that has not been cut. */
export const whole = (data: Uint8Array): Fragment => ({ totalSize: data.length, offset: 0, data });

export const isWhole = ({ totalSize, offset, data }: Fragment): boolean => offset === 0 && totalSize === data.length;

/** A fragment that lacks exactly as many bytes as its header is longer would be read as a whole template. */
function writeUnmistakably(writer: ByteWriter, value: BiometricFragment): void {
  if (value.totalSize === value.data.length + HEADER_SIZE - 2) {
    throw new CodecError('ERR_OSDP_VALUE', 'data: a fragment of this size cannot be told from a whole template');
  }
  fragment.write(writer, value);
}

/** How many bytes of a fragmented reply fit into a payload. */
export function fragmentSizeIn(payloadSizeMax: number, reply: Fragment & { readonly name: string }): number {
  if (reply.name !== 'BIOREADR') return payloadSizeMax - HEADER_SIZE;
  const room = payloadSizeMax - BIOMETRIC_HEAD_SIZE - HEADER_SIZE;
  // One byte less where the fragment could be read as a whole template.
  return reply.totalSize === room + HEADER_SIZE - 2 ? room - 1 : room;
}
