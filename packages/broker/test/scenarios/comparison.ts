import { expect } from '@jest/globals';
import { eventually } from '@klassic/test-support';

export interface Compared {
  readonly actual: Record<string, unknown>;
  readonly expected: Record<string, unknown>;
}

/**
 * Waits a while for what may still be under way, and shows the difference when there is one in the end. A recording that has nothing
 * of the kind is a mistake of the test: it would compare nothing.
 */
export async function expectSame(compare: () => Compared | Promise<Compared>, what: string): Promise<void> {
  let last: Compared | undefined;
  try {
    await eventually(
      async () => {
        last = await compare();
        return JSON.stringify(last.actual) === JSON.stringify(last.expected);
      },
      { timeoutMs: 15_000, what: `the ${what} of the original` },
    );
  } catch (error) {
    expect(last?.actual).toEqual(last?.expected);
    throw error;
  }
  expect(Object.keys(last!.expected)).not.toEqual([]);
}
