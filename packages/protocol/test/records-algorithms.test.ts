import { describe, expect, it } from '@jest/globals';
import { SeededRandom, nextInt } from '@klassic/common';
import { describeWithReference, readReferenceLines } from '@klassic/test-support';
import {
  crc32,
  crc32c,
  decrementSequence,
  incrementSequence,
  readInt64,
  readUnsignedVarint,
  readVarint,
  readVarlong,
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeInt64,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../src/records/index.ts';
import { xxhash32 } from '../src/records/xxhash32.ts';

const lines = <T>(file: string): T[] =>
  readReferenceLines('vectors', 'algorithms', file).map((line) => JSON.parse(line) as T);

describeWithReference(describe)('algorithms of the reference', () => {
  it('CRC-32C and CRC-32', () => {
    for (const vector of lines<{ hex: string; crc32c: number; crc32: number }>('crc.jsonl')) {
      const bytes = Buffer.from(vector.hex, 'hex');
      const inside = Buffer.concat([Buffer.from('..'), bytes, Buffer.from('...')]);
      expect([crc32c(bytes), crc32(bytes)]).toEqual([vector.crc32c, vector.crc32]);
      expect(crc32c(inside, 2, 2 + bytes.length)).toBe(vector.crc32c);
      expect(crc32(inside, 2, 2 + bytes.length)).toBe(vector.crc32);
    }
  });

  it('sequences', () => {
    const vectors = lines<{ op: 'increment' | 'decrement'; sequence: number; by: number; result: number }>(
      'sequences.jsonl',
    );
    for (const { op, sequence, by, result } of vectors) {
      expect((op === 'increment' ? incrementSequence : decrementSequence)(sequence, by)).toBe(result);
    }
  });

  const codecs = {
    varint: { read: readVarint, write: writeVarint, size: sizeOfVarint },
    unsignedVarint: { read: readUnsignedVarint, write: writeUnsignedVarint, size: sizeOfUnsignedVarint },
    varlong: { read: readVarlong, write: writeVarlong, size: sizeOfVarlong },
  };

  it('varints', () => {
    for (const { type, value, hex } of lines<{ type: keyof typeof codecs; value?: string; hex: string }>(
      'varints.jsonl',
    )) {
      const { read, write, size } = codecs[type];
      const bytes = Buffer.from(hex, 'hex');
      if (value === undefined) {
        expect(() => read(bytes, 0)).toThrow('is too long');
        continue;
      }
      const number = Number(value);
      expect([type, value, read(bytes, 0)]).toEqual([type, value, { value: number, next: bytes.length }]);
      if (!Number.isSafeInteger(number)) continue;
      const room = Buffer.alloc(11);
      const end = write(room, number, 0);
      expect([type, value, room.toString('hex', 0, end), size(number)]).toEqual([type, value, hex, bytes.length]);
    }
  });
});

describe('varints', () => {
  it('of every length come back', () => {
    const random = new SeededRandom(4);
    const room = Buffer.alloc(11);
    for (let i = 0; i < 20_000; i++) {
      const sign = random.next() < 0.5 ? -1 : 1;
      const long = sign * Math.floor(1 + random.next() * (2 ** nextInt(random, 54) - 1));
      const end = writeVarlong(room, long, 0);
      expect([readVarlong(room, 0), sizeOfVarlong(long)]).toEqual([{ value: long, next: end }, end]);
      const int = long | 0;
      const intEnd = writeVarint(room, int, 0);
      expect([readVarint(room, 0), sizeOfVarint(int)]).toEqual([{ value: int, next: intEnd }, intEnd]);
    }
  });

  it('too long or cut are refused', () => {
    expect(() => readVarint(Buffer.from('ffffffffff01', 'hex'), 0)).toThrow('Varint is too long');
    expect(() => readVarint(Buffer.from('ff', 'hex'), 0)).toThrow('end inside');
    expect(() => readVarlong(Buffer.alloc(11, 0xff), 0)).toThrow('Varlong is too long');
    expect(() => readVarlong(Buffer.alloc(3, 0xff), 0)).toThrow('end inside');
  });
});

describe('int64', () => {
  it('is exact within ±2^53 and refused beyond', () => {
    const room = Buffer.alloc(8);
    for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53), 6_000_000_000]) {
      writeInt64(room, value, 0);
      expect([room.readBigInt64BE(), readInt64(room, 0)]).toEqual([BigInt(value), value]);
    }
    for (const value of [2n ** 53n, -(2n ** 53n) - 1n, 2n ** 63n - 1n]) {
      room.writeBigInt64BE(value);
      expect(() => readInt64(room, 0)).toThrow(`The value ${value} is beyond`);
    }
  });
});

describe('xxHash32', () => {
  it('agrees with its published values', () => {
    expect(xxhash32(Buffer.from(''))).toBe(0x02cc5d05);
    expect(xxhash32(Buffer.from('a'))).toBe(0x550d7456);
    expect(xxhash32(Buffer.from('abc'))).toBe(0x32d153ff);
    expect(xxhash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
  });
});
