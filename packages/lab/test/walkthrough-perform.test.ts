import { afterEach, describe, expect, it } from '@jest/globals';
import { parseWalkthrough } from '../src/walkthrough/document.ts';
import { perform } from '../src/walkthrough/perform.ts';
import { ShellSession } from '../src/walkthrough/shell-session.ts';

const fence = '```';
const block = (kind: string, ...lines: string[]): string => [fence + kind, ...lines, fence].join('\n');

describe('perform', () => {
  let shell: ShellSession | undefined;
  afterEach(() => shell?.close());

  const play = async (...blocks: string[]): Promise<{ said: string; failure: string | undefined }> => {
    const session = new ShellSession(process.cwd(), process.env);
    shell = session;
    const said: string[] = [];
    const document = parseWalkthrough(['# T', ...blocks].join('\n'), 't.md');
    const stage = { shell: session, say: (text: string) => said.push(text), pause: () => Promise.resolve() };
    const { failure } = await perform(document, 't', stage);
    return { said: said.join('\n'), failure };
  };

  it('hands variables and captures on from block to block, and shows commands and output', async () => {
    const { said, failure } = await play(
      block('sh run', 'own=7; echo "leader 2"'),
      block('expect', 'leader {leader}'),
      block('sh run', 'echo "kill $leader $own" >&2'),
      block('expect', 'kill {leader} 7'),
    );
    expect(failure).toBeUndefined();
    expect(said).toContain('$ echo "kill $leader $own" >&2\nkill 2 7\n  ✓ kill 2 7');
  });

  it('runs looking commands again until all is seen, within the limit', async () => {
    const { failure } = await play(
      block('sh run', 'n=$((n + 1)); echo "look $n"'),
      block('expect within=10s', 'look 3'),
    );
    expect(failure).toBeUndefined();
  });

  it('stops at what is not seen', async () => {
    const { said, failure } = await play(
      block('sh run', 'echo a'),
      block('expect', 'b'),
      block('sh run', 'echo never'),
    );
    expect(failure).toBe('t.md:2: not seen: b');
    expect(said).not.toContain('never');
  });

  it('stops at a command that fails, wherever it stands in its block', async () => {
    const { failure } = await play(block('sh run', 'false', 'echo a'));
    expect(failure).toBe('t.md:2: a command failed');
  });
});
