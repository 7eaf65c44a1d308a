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
    const slot = this.find(digest(key));
    if (this.offsets[slot] === 0) {
      invariant(this.count < this.slots - 1, 'Attempted to add a new entry to a full offset map.');
      this.count += 1;
    }
    this.offsets[slot] = offset + 1;
  }

  /** The latest offset of a key; -1 for one that is not there. */
  get(key: Buffer): number {
    const wanted = digest(key);
    return this.offsets[this.find(wanted, false)]! - 1;
  }

  /** The key's slot, or the free one where it belongs. */
  private find(wanted: Buffer, claim = true): number {
    const h0 = wanted.readInt32BE(0);
    const h1 = wanted.readInt32BE(4);
    const h2 = wanted.readInt32BE(8);
    const h3 = wanted.readInt32BE(12);
    const { slots, hashes, offsets } = this;
    const step = 1 + ((h1 >>> 0) % (slots - 1));
    let slot = (h0 >>> 0) % slots;
    while (offsets[slot] !== 0) {
      const at = slot * HASH_INTS;
      if (hashes[at] === h0 && hashes[at + 1] === h1 && hashes[at + 2] === h2 && hashes[at + 3] === h3) return slot;
      slot = (slot + step) % slots;
    }
    if (claim) hashes.set([h0, h1, h2, h3], slot * HASH_INTS);
    return slot;
  }
}

function digest(key: Buffer): Buffer {
  return hash('md5', key, 'buffer');
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
