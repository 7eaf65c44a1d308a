import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { FrameReader } from '../src/frame-reader.ts';

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

describe('FrameReader', () => {
  it('hands on views of a chunk that holds whole frames', () => {
    const chunk = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('second'))]);
    const frames: Buffer[] = [];
    new FrameReader(100).push(chunk, (frame) => frames.push(frame));
    expect(frames.map(String)).toEqual(['one', 'second']);
    expect(frames[0]!.buffer).toBe(chunk.buffer);
  });

  it.each([
    ['zero', 0, 'Invalid receive (size = 0)'],
    ['negative', -5, 'Invalid receive (size = -5)'],
    ['too large', 101, 'Invalid receive (size = 101 larger than 100)'],
  ])('refuses a size that is %s', (_name, size, message) => {
    const chunk = Buffer.alloc(4);
    chunk.writeInt32BE(size);
    expect(() => new FrameReader(100).push(chunk, () => undefined)).toThrow(message);
  });

  it('cuts any stream the same way, however it is chunked', () => {
    const seed = 20210421;
    const random = new SeededRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const bodies = Array.from({ length: 1 + nextInt(random, 8) }, (_, index) =>
        Buffer.alloc(1 + nextInt(random, 300), index),
      );
      const stream = Buffer.concat(bodies.map(framed));
      const reader = new FrameReader(300);
      const frames: Buffer[] = [];
      for (let at = 0; at < stream.length;) {
        const end = Math.min(stream.length, at + 1 + nextInt(random, 40));
        reader.push(stream.subarray(at, end), (frame) => frames.push(frame));
        at = end;
      }
      expect({ seed, round, frames }).toEqual({ seed, round, frames: bodies });
      expect(reader.isMidFrame).toBe(false);
    }
  });
});
