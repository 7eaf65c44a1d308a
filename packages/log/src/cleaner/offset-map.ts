import { hash } from 'node:crypto';
import { invariant } from '@klassic/common';

const HASH_INTS = 4;
/** 16 bytes of hash and 8 of offset. */
export const BYTES_PER_ENTRY = 24;

/**
 * The latest offset of each key, in memory that is bounded beforehand: of a key only its MD5 is kept, as in
 * `kafka.log.SkimpyOffsetMap`. Two keys with the same MD5 would count as one; nobody gets there by chance.
 */
export class OffsetMap {
  /** A prime, so that every step of a search visits all slots. */
  readonly slots: number;
  /** Everything up to here, inclusive, is in the map. */
  latestOffset = -1;
  private readonly hashes: Int32Array;
  /** Offset plus one; 0 in a free slot. */
  private readonly offsets: Float64Array;
  private count = 0;

  /** @param slots wanted; as many are made, or a few less */
  constructor(slots: number) {
    this.slots = primeAtMost(Math.max(2, Math.floor(slots)));
    this.hashes = new Int32Array(this.slots * HASH_INTS);
    this.offsets = new Float64Array(this.slots);
  }

  /** Keys in the map. */
  get size(): number {
    return this.count;
  }

  /** Notes the offset of a key, in the place of an older one. There must be a free slot. */
  put(key: Buffer, offset: number): void {
    const hashed = digest(key);
    const slot = this.find(hashed);
    if (this.offsets[slot] === 0) {
      invariant(this.count < this.slots - 1, 'Attempted to add a new entry to a full offset map.');
      this.count += 1;
      for (let part = 0; part < HASH_INTS; part += 1) this.hashes[slot * HASH_INTS + part] = intAt(hashed, part);
    }
    this.offsets[slot] = offset + 1;
  }

  /** The latest offset of a key; -1 for one that is not there. */
  get(key: Buffer): number {
    return this.offsets[this.find(digest(key))]! - 1;
  }

  /** The key's slot, or the free one where it belongs. */
  private find(hashed: string): number {
    const h0 = intAt(hashed, 0);
    const h1 = intAt(hashed, 1);
    const h2 = intAt(hashed, 2);
    const h3 = intAt(hashed, 3);
    const { slots, hashes, offsets } = this;
    const step = 1 + ((h1 >>> 0) % (slots - 1));
    let slot = (h0 >>> 0) % slots;
    while (offsets[slot] !== 0) {
      const at = slot * HASH_INTS;
      if (hashes[at] === h0 && hashes[at + 1] === h1 && hashes[at + 2] === h2 && hashes[at + 3] === h3) return slot;
      slot = (slot + step) % slots;
    }
    return slot;
  }
}

/** One character for each byte: a string of sixteen is made three times as fast as a buffer, and there are millions. */
function digest(key: Buffer): string {
  return hash('md5', key, 'binary');
}

function intAt(hashed: string, part: number): number {
  const at = part * 4;
  return (
    hashed.charCodeAt(at) |
    (hashed.charCodeAt(at + 1) << 8) |
    (hashed.charCodeAt(at + 2) << 16) |
    (hashed.charCodeAt(at + 3) << 24)
  );
}

function primeAtMost(limit: number): number {
  let candidate = limit;
  while (!isPrime(candidate)) candidate -= 1;
  return candidate;
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) {
    if (value % divisor === 0) return false;
  }
  return value >= 2;
}
