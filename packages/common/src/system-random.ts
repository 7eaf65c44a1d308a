import type { Random } from './random.ts';

/** Real chance. */
export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }
}
