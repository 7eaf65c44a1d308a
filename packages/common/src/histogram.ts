/** Buckets per power of two: a percentile is at most one part in 16 above the value it stands for. */
const SUB_BITS = 4;
const SUB_BUCKETS = 1 << SUB_BITS;
const BUCKETS = (31 - SUB_BITS + 1) * SUB_BUCKETS;
const MAX_VALUE = 0x7fffffff;

/** What a histogram tells at one moment. */
export interface HistogramSnapshot {
  /** All values since the start. */
  readonly count: number;
  /** The value that the given share (0 to 1) of the recent ones does not pass; 0 when there were none. */
  readonly quantile: (share: number) => number;
}

/**
 * Counts values in buckets that grow with the value, so that an update is a few additions whatever comes. Percentiles
 * are those of the present and the last period, as `rotate` marks them: the recent past, like the samples of
 * Kafka's metrics library, which forget exponentially.
 */
export class Histogram {
  private readonly resolution: number;
  private total = 0;
  private current = new Uint32Array(BUCKETS);
  private previous = new Uint32Array(BUCKETS);

  /** @param resolution smallest difference that is told, in the unit of the values: 0.001 for microseconds of ms */
  constructor(resolution = 1) {
    this.resolution = resolution;
  }

  get count(): number {
    return this.total;
  }

  /** Takes a value in; one below 0 counts as 0, one beyond 2^31 resolutions as that. */
  update(value: number): void {
    this.total += 1;
    this.current[bucketOf(value / this.resolution)]! += 1;
  }

  /** Ends a period: what was recorded before the last call is forgotten by the percentiles. */
  rotate(): void {
    const forgotten = this.previous;
    this.previous = this.current;
    this.current = forgotten.fill(0);
  }

  snapshot(): HistogramSnapshot {
    const { current, previous, resolution, total } = this;
    let recent = 0;
    for (let index = 0; index < BUCKETS; index += 1) recent += current[index]! + previous[index]!;
    return {
      count: total,
      quantile: (share) => {
        let left = Math.ceil(share * recent);
        if (left <= 0) return 0;
        for (let index = 0; index < BUCKETS; index += 1) {
          left -= current[index]! + previous[index]!;
          if (left <= 0) return highestOf(index) * resolution;
        }
        return MAX_VALUE * resolution;
      },
    };
  }
}

function bucketOf(scaled: number): number {
  const value = scaled >= MAX_VALUE ? MAX_VALUE : scaled > 0 ? Math.round(scaled) : 0;
  if (value < SUB_BUCKETS) return value;
  const shift = 31 - Math.clz32(value) - SUB_BITS;
  return (shift + 1) * SUB_BUCKETS + ((value >> shift) - SUB_BUCKETS);
}

/** The highest value that falls into a bucket. */
function highestOf(index: number): number {
  if (index < SUB_BUCKETS) return index;
  const shift = Math.floor(index / SUB_BUCKETS) - 1;
  const lowest = (SUB_BUCKETS + (index % SUB_BUCKETS)) * 2 ** shift;
  return lowest + 2 ** shift - 1;
}
