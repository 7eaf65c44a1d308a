import { InvalidRecordError, InvalidTimestampError } from './record-errors.ts';

const TWO_TO_32 = 0x1_0000_0000;

/**
 * A big-endian int64 as an exact number.
 *
 * @throws InvalidRecordError beyond ±2^53
 */
export function readInt64(buffer: Buffer, at: number): number {
  const high = buffer.readInt32BE(at);
  if (high < -0x20_0000 || high > 0x1f_ffff) {
    throw new InvalidRecordError(`The value ${buffer.readBigInt64BE(at)} is beyond ±2^53`);
  }
  return high * TWO_TO_32 + buffer.readUInt32BE(at + 4);
}

/**
 * A timestamp in milliseconds; -1 for none.
 *
 * @throws InvalidTimestampError beyond ±2^53
 */
export function readTimestamp(buffer: Buffer, at: number): number {
  const high = buffer.readInt32BE(at);
  if (high < -0x20_0000 || high > 0x1f_ffff) {
    throw new InvalidTimestampError(`The timestamp ${buffer.readBigInt64BE(at)} is beyond ±2^53 ms`);
  }
  return high * TWO_TO_32 + buffer.readUInt32BE(at + 4);
}

/** Writes an exact number as a big-endian int64. */
export function writeInt64(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / TWO_TO_32);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(value - high * TWO_TO_32, at + 4);
}
