import { afterEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@klassic/test-support';
import { listWalkthroughs, runWalkthrough } from '../src/walkthrough/walkthroughs.ts';

describe('the walkthroughs of the documentation', () => {
  let told: string[] = [];

  afterEach(() => {
    told = [];
  });

  it.each(listWalkthroughs())(
    '$name happens as it is told',
    async ({ name }) => {
      const home = temporaryFolder(`walkthrough-${name}`);
      const { failure, observations } = await runWalkthrough(name, {
        say: (text) => told.push(text),
        step: false,
        home,
      });
      // What was said tells more than the failure alone.
      if (failure !== undefined) throw new Error(`${failure}\n\n${told.join('\n')}`);
      expect(observations).toBeGreaterThan(0);
    },
    240_000,
  );
});
