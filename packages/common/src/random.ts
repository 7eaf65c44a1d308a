/** A source of chance that everything is handed, so that a seed replays a run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** An integer in [0, bound). */
export function nextInt(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** Repeatable chance (mulberry32) from a 32-bit seed, for tests and simulations. */
export class SeededRandom implements Random {
  private state: number;

  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
