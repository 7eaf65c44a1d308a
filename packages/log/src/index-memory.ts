/** Something that holds a copy of its file in memory and can do without it. */
export interface Releasable {
  /** Bytes held. */
  readonly residentBytes: number;
  release(): void;
}

/**
 * Bounds the memory that indexes of old segments take: the least recently used copies go first.
 * The kernel does this for Kafka, which maps its indexes.
 */
export class IndexMemory {
  private readonly limitBytes: number;
  private readonly residents = new Map<Releasable, number>();
  private heldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Notes that `index` is in use now, and lets others go when there are too many bytes. */
  touch(index: Releasable): void {
    this.forget(index);
    this.residents.set(index, index.residentBytes);
    this.heldBytes += index.residentBytes;
    for (const oldest of this.residents.keys()) {
      if (this.heldBytes <= this.limitBytes || oldest === index) break;
      this.forget(oldest);
      oldest.release();
    }
  }

  forget(index: Releasable): void {
    const bytes = this.residents.get(index);
    if (bytes === undefined) return;
    this.residents.delete(index);
    this.heldBytes -= bytes;
  }
}

/** One budget for all logs of the process. */
export const indexMemory = new IndexMemory(64 * 1024 * 1024);
