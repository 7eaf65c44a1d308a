import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { close } from '../../src/runner/close.ts';
import { Results } from '../../src/runner/results.ts';
import { runAll } from '../../src/runner/run-all.ts';
import { temporaryFolder } from '../../src/index.ts';

const checkout = resolve(import.meta.dirname, '../../../..');

const config = `
export default {
  projects: ['unit', 'integration'].map((kind) => ({
    displayName: kind,
    testEnvironment: 'node',
    testMatch: [\`<rootDir>/\${kind}/*.test.mjs\`],
    transform: {},
  })),
};
`;

/** In each file `isFirstRun` tells whether it runs for the first time. */
const prelude = `
import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, expect, it } from '@jest/globals';
const isFirstRun = !existsSync(import.meta.filename + '.was-run');
writeFileSync(import.meta.filename + '.was-run', '');
`;

const files = {
  'unit/well.test.mjs': "it('is well', () => {}); it.skip('is left out', () => {});",
  'unit/hangs-once.test.mjs': "it('ends', () => { while (isFirstRun); });",
  'integration/wrong.test.mjs': "it('is right', () => {}); it('is wrong', () => { expect(1).toBe(2); });",
  'integration/unsteady.test.mjs': "it('wavers', () => { expect(isFirstRun).toBe(false); }); it('stands', () => {});",
  'integration/no-module.test.mjs': "import 'no-such-module'; it('is never run', () => {});",
  'integration/leaks.test.mjs': "it('leaves a timer', () => { setInterval(() => {}, 1_000); });",
};

describe('a run of all tests', () => {
  it('runs again what failed, kills what hangs, and counts everything once', async () => {
    const root = temporaryFolder('all-tests');
    const folder = join(root, 'results');
    for (const name of ['unit', 'integration', 'results']) mkdirSync(join(root, name));
    symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'));
    writeFileSync(join(root, 'jest.config.mjs'), config);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), prelude + text);

    const results = new Results(folder);
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const limits = { unitMs: 12_000, fileMs: 60_000, totalMs: 180_000 };
    await runAll({ root, results, limits, say, output: 'ignore' });
    expect(said).toContain('unit/hangs-once.test.mjs: killed: the unit tests did not end within 12 s');

    const closing: string[] = [];
    expect(close(results, 0, (line) => closing.push(line))).toBe(false);
    expect(closing).toEqual([
      expect.stringContaining(
        'klassic: failed: integration/no-module.test.mjs › (the file itself): Cannot find module',
      ),
      'klassic: failed: integration/wrong.test.mjs › is wrong',
      'klassic: unsteady: integration/unsteady.test.mjs › wavers failed once and passed when run again: find the cause',
      'klassic: unsteady: unit/hangs-once.test.mjs › (the file itself) failed once and passed when run again: find the cause',
      expect.stringContaining('failures.txt'),
      '6 passed, 2 failed, 1 skipped',
    ]);
    expect(readFileSync(join(folder, 'failures.txt'), 'utf8')).toContain(
      'integration/unsteady.test.mjs › wavers\nError: ',
    );
    // A step that failed counts, too.
    expect(close(results, 1, (line) => closing.push(line))).toBe(false);
    expect(closing.at(-1)).toBe('6 passed, 3 failed, 1 skipped');
  }, 300_000);
});
