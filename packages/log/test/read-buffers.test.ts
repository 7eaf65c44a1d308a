import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { ReadBuffers } from '../src/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('ReadBuffers', () => {
  it('uses a buffer again once its lease is released, not before', () => {
    const buffers = new ReadBuffers(4 * MIB);
    const first = buffers.lease();
    const held = first.source(MIB);
    expect(buffers.lease().source(MIB).buffer === held.buffer).toBe(false);
    first.release();
    expect(buffers.lease().source(MIB).buffer === held.buffer).toBe(true);
    expect(buffers.idleBytes).toBe(0);
  });

  it('gives exactly as many bytes as are asked for, out of the next power of two', () => {
    const buffers = new ReadBuffers(4 * MIB);
    const lease = buffers.lease();
    const bytes = lease.source(700_000);
    expect(bytes.length).toBe(700_000);
    expect(bytes.buffer.byteLength).toBe(MIB);
  });

  it('takes a buffer back once, however often its lease is released', () => {
    const buffers = new ReadBuffers(4 * MIB);
    const lease = buffers.lease();
    lease.source(64 * KIB);
    lease.release();
    lease.release();
    expect(buffers.idleBytes).toBe(64 * KIB);
  });

  it.each([0, 1, 10 * KIB, 9 * MIB])('keeps none of %d bytes', (size) => {
    const buffers = new ReadBuffers(64 * MIB);
    const lease = buffers.lease();
    expect(lease.source(size).length).toBe(size);
    lease.release();
    expect(buffers.idleBytes).toBe(0);
  });

  it('keeps no more than it may', () => {
    const buffers = new ReadBuffers(3 * MIB);
    const lease = buffers.lease();
    for (let taken = 0; taken < 5; taken += 1) lease.source(MIB);
    lease.release();
    expect(buffers.idleBytes).toBe(3 * MIB);
  });

  it('never gives one buffer to two leases at once', () => {
    const seed = Date.now() % 100_000;
    const random = new SeededRandom(seed);
    const buffers = new ReadBuffers(8 * MIB);
    const open: { lease: ReturnType<ReadBuffers['lease']>; taken: ArrayBufferLike[] }[] = [];
    for (let step = 0; step < 500; step += 1) {
      if (open.length > 0 && nextInt(random, 3) === 0) {
        open.splice(nextInt(random, open.length), 1)[0]!.lease.release();
        continue;
      }
      const lease = buffers.lease();
      const taken = Array.from(
        { length: 1 + nextInt(random, 3) },
        () => lease.source((32 * KIB) << nextInt(random, 3)).buffer,
      );
      const inUse = open.flatMap((each) => each.taken);
      expect({ seed, step, again: taken.some((buffer) => inUse.includes(buffer)) }).toEqual({
        seed,
        step,
        again: false,
      });
      if (open.length < 10) open.push({ lease, taken });
      else lease.release();
    }
  });
});
