import { describe, expect, it } from '@jest/globals';
import { Histogram, SeededRandom } from '../src/index.ts';

const shares = [0.01, 0.5, 0.75, 0.95, 0.99, 0.999, 1];

describe('Histogram', () => {
  it('knows nothing before the first value', () => {
    const { count, quantile } = new Histogram().snapshot();
    expect(count).toBe(0);
    expect(shares.map(quantile)).toEqual(shares.map(() => 0));
  });

  it.each([0, 1, 15, 16, 17, 31, 32, 1000, 65_535, 2 ** 31 - 1])('tells %d within one part in 16', (value) => {
    const histogram = new Histogram();
    histogram.update(value);
    const told = histogram.snapshot().quantile(0.5);
    expect(told).toBeGreaterThanOrEqual(value);
    expect(told).toBeLessThanOrEqual(value + value / 16);
  });

  it('takes in what lies outside: below 0 as 0, far beyond as the most', () => {
    const histogram = new Histogram();
    histogram.update(-5);
    expect(histogram.snapshot().quantile(1)).toBe(0);
    histogram.update(Number.MAX_SAFE_INTEGER);
    expect(histogram.snapshot().quantile(1)).toBe(2 ** 31 - 1);
  });

  it('has the percentiles of sorted values, never below and at most one part in 16 above', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = new SeededRandom(seed);
      const histogram = new Histogram(0.001);
      const values = Array.from({ length: 1 + Math.floor(random.next() * 2000) }, () => 1000 ** random.next());
      for (const value of values) histogram.update(value);
      values.sort((left, right) => left - right);
      const { count, quantile } = histogram.snapshot();
      expect(count).toBe(values.length);
      for (const share of shares) {
        const exact = values[Math.ceil(share * values.length) - 1]!;
        const told = quantile(share);
        if (told < exact - 0.001 || told > exact * (1 + 1 / 16) + 0.001) {
          throw new Error(`seed ${seed}: the ${share} quantile is ${exact}, not ${told}`);
        }
      }
    }
  });

  it('forgets what is two periods old, but not that it was', () => {
    const histogram = new Histogram();
    histogram.update(10);
    histogram.rotate();
    histogram.update(5);
    expect(histogram.snapshot().quantile(1)).toBe(10);
    histogram.rotate();
    expect(histogram.snapshot().quantile(1)).toBe(5);
    histogram.rotate();
    expect(histogram.snapshot().quantile(1)).toBe(0);
    expect(histogram.snapshot().count).toBe(2);
  });
});
