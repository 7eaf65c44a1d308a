import { describe, expect, it } from '@jest/globals';
import { outcomeOf } from '../../src/runner/reporter.ts';
import { quickFirst } from '../../src/runner/run-all.ts';
import { closingLine, hasFailed, tally } from '../../src/runner/tally.ts';
import type { FileOutcome, TestOutcome } from '../../src/runner/tally.ts';

const passed = (name: string): TestOutcome => ({ name, status: 'passed' });
const failed = (name: string): TestOutcome => ({ name, status: 'failed', message: `${name} is wrong` });
const skipped = (name: string): TestOutcome => ({ name, status: 'skipped' });
const run = (file: string, ...tests: TestOutcome[]): FileOutcome => ({ file, durationMs: 1, tests });
const broken = (file: string, why: string, ...tests: TestOutcome[]): FileOutcome => ({
  ...run(file, ...tests),
  broken: why,
});

describe('tally', () => {
  it('counts each test once, however often its file was run', () => {
    const first = run('a', passed('one'), failed('two'), skipped('three'));
    expect(tally(['a', 'b'], [first, run('a', passed('one'), failed('two'), skipped('three')), run('b')])).toEqual({
      passed: 1,
      failed: 1,
      skipped: 1,
      unsteady: [],
      failures: ['a › two'],
    });
  });

  it('names as unsteady what failed in one run and passed in the other, whichever came first', () => {
    const outcomes = [run('a', failed('one'), passed('two')), run('a', passed('one'), failed('two'))];
    expect(tally(['a'], outcomes)).toMatchObject({ passed: 2, failed: 0, unsteady: ['a › one', 'a › two'] });
  });

  it('counts a file that is broken in each of its runs as one failure, beside its tests', () => {
    const outcomes = [
      broken('a', 'afterAll failed', passed('one')),
      broken('a', '\n  afterAll failed\nat …', passed('one')),
    ];
    expect(tally(['a'], outcomes)).toMatchObject({
      passed: 1,
      failed: 1,
      failures: ['a › (the file itself): afterAll failed'],
    });
  });

  it('takes a file that was broken once for unsteady', () => {
    const outcomes = [broken('a', 'killed'), run('a', passed('one'))];
    expect(tally(['a'], outcomes)).toMatchObject({ passed: 1, failed: 0, unsteady: ['a › (the file itself)'] });
  });

  it('does not count a hang twice when tests of the file failed before', () => {
    expect(tally(['a'], [run('a', failed('one')), broken('a', 'killed')])).toMatchObject({ passed: 0, failed: 1 });
  });

  it('fails a planned file that never reported', () => {
    expect(tally(['a'], [])).toMatchObject({ failed: 1, failures: ['a › (the file itself): it was never run'] });
  });

  it('tells tests of the same name apart by their order', () => {
    const twice = run('a', passed('same'), failed('same'));
    expect(tally(['a'], [twice])).toMatchObject({ passed: 1, failed: 1, failures: ['a › same (2)'] });
    expect(tally(['a'], [twice, run('a', passed('same'), passed('same'))])).toMatchObject({ passed: 2, failed: 0 });
  });
});

describe('hasFailed', () => {
  it.each([
    [run('a', passed('one'), skipped('two')), false],
    [run('a', passed('one'), failed('two')), true],
    [broken('a', 'no such module'), true],
  ])('%j: %s', (outcome, expected) => {
    expect(hasFailed(outcome)).toBe(expected);
  });
});

describe('the closing line', () => {
  it.each([
    [{ passed: 3, failed: 0, skipped: 0 }, '3 passed, 0 failed'],
    [{ passed: 3, failed: 1, skipped: 2 }, '3 passed, 1 failed, 2 skipped'],
  ])('%j is %s', (counts, line) => {
    expect(closingLine(counts)).toBe(line);
  });
});

describe('the order of integration tests', () => {
  it('puts the long ones last', () => {
    const files = [
      'p/faults.integration.test.ts',
      'p/b.integration.test.ts',
      'p/scale.integration.test.ts',
      'p/a.integration.test.ts',
    ];
    expect(quickFirst(files)).toEqual([files[3], files[1], files[2], files[0]]);
  });
});

describe('outcomeOf', () => {
  const result = {
    testFilePath: '/home/klassic/packages/a/test/a.test.ts',
    perfStats: { runtime: 12 },
    testExecError: null,
    testResults: [
      { ancestorTitles: ['outer', 'inner'], title: 'works', status: 'passed', failureMessages: [] },
      { ancestorTitles: [], title: 'fails', status: 'failed', failureMessages: ['no', 'never'] },
      { ancestorTitles: [], title: 'later', status: 'todo', failureMessages: null },
      { ancestorTitles: [], title: 'not here', status: 'pending', failureMessages: null },
    ],
  };

  it('reads jest’s result of a file', () => {
    expect(outcomeOf('/home/klassic', result)).toEqual({
      file: 'packages/a/test/a.test.ts',
      durationMs: 12,
      tests: [
        passed('outer › inner › works'),
        { name: 'fails', status: 'failed', message: 'no\nnever' },
        skipped('later'),
        skipped('not here'),
      ],
    });
  });

  it('says what kept a file from running', () => {
    const outcome = outcomeOf('/home/klassic', {
      ...result,
      testExecError: { message: 'no such module' },
      testResults: [],
    });
    expect(outcome).toMatchObject({ broken: 'no such module', tests: [] });
  });
});
