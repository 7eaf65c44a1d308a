import { describe, expect, it } from '@jest/globals';
import { parseWalkthrough } from '../src/walkthrough/document.ts';
import { fill, judge } from '../src/walkthrough/expectation.ts';
import { listWalkthroughs } from '../src/walkthrough/walkthroughs.ts';

const fence = '```';

describe('parseWalkthrough', () => {
  it('finds text, commands, what is expected of them, and for how long', () => {
    const document = parseWalkthrough(
      [
        '# A title',
        'Some text.',
        `${fence}sh run`,
        'ls',
        'pwd',
        fence,
        '',
        `${fence}expect within=5s`,
        'a file',
        '',
        'not: a ghost',
        fence,
        'More.',
        `${fence}json`,
        '{}',
        fence,
      ].join('\n'),
      'x.md',
    );
    expect(document.title).toBe('A title');
    expect(document.parts).toEqual([
      { kind: 'text', text: '# A title\nSome text.' },
      { kind: 'run', line: 3, commands: 'ls\npwd', expectations: ['a file', 'not: a ghost'], withinMs: 5_000 },
      { kind: 'text', text: `More.\n${fence}json\n{}\n${fence}` },
    ]);
  });

  it.each([
    ['no title', 'text', 'x.md: a walkthrough begins with a title'],
    ['an open block', `# T\n${fence}sh run\nls`, 'x.md:2: this block is not closed'],
    ['expect alone', `# T\n${fence}expect\na\n${fence}`, 'x.md:2: an expect block must follow a run block'],
    [
      'text in between',
      `# T\n${fence}sh run\nls\n${fence}\ntext\n${fence}expect\na\n${fence}`,
      'x.md:6: an expect block must follow a run block',
    ],
    ['an unknown option', `# T\n${fence}expect after=3s\na\n${fence}`, 'x.md:2: this block is of no known kind'],
  ])('refuses %s, naming the line', (_what, markdown, message) => {
    expect(() => parseWalkthrough(markdown, 'x.md')).toThrow(message);
  });

  it('reads every walkthrough of the documentation', () => {
    expect(listWalkthroughs()).toContainEqual({ name: 'leader-death', title: 'A leader dies' });
  });
});

describe('judge', () => {
  const none = new Map<string, string>();

  it('finds lines in their order, others between them, blanks counted as one', () => {
    expect(judge(['a', 'c  d'], 'a\nb\n  c d', none).met).toBe(true);
    expect(judge(['c d', 'a'], 'a\nb\nc d', none)).toEqual({ met: false, missed: 'a' });
    expect(judge(['a'], 'ab', none).met).toBe(false);
  });

  it('captures words, and wants the same again', () => {
    const verdict = judge(['leader {x} isr [{x},{y}]', '{y} follows …'], 'leader 2 isr [2,1]\n1 follows 2', none);
    expect(verdict).toEqual({
      met: true,
      captures: new Map([
        ['x', '2'],
        ['y', '1'],
      ]),
    });
    expect(judge(['leader {x}'], 'leader 3', new Map([['x', '2']]))).toEqual({ met: false, missed: 'leader 2' });
    expect(judge(['leader {x} isr [{x}]'], 'leader 3 isr [1]', none).met).toBe(false);
  });

  it('takes … for any text, also none, and everything else literally', () => {
    expect(judge(['{"a":…}'], '{"a":1,"b":[2]}', none).met).toBe(true);
    expect(judge(['a…'], 'a', none).met).toBe(true);
    expect(judge(['a.c'], 'abc', none).met).toBe(false);
  });

  it('refuses what must not be there, wherever it is', () => {
    expect(judge(['b', 'not: {x} dies'], 'a\nb', new Map([['x', '2']])).met).toBe(true);
    expect(judge(['b', 'not: {x} dies'], '2 dies\nb', new Map([['x', '2']]))).toEqual({
      met: false,
      missed: 'not: 2 dies',
    });
  });

  it('fills in what is known', () => {
    expect(fill('{a} and {b}', new Map([['a', '1']]))).toBe('1 and {b}');
  });
});
