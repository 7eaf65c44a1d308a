import { LabError } from '../lab-error.ts';

/** A paragraph, heading, list, table or picture: told as it stands. */
export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
}

/** Commands, and what must be seen in their output. */
export interface RunPart {
  readonly kind: 'run';
  /** Line of the document where the block begins, from 1. */
  readonly line: number;
  readonly commands: string;
  readonly expectations: readonly string[];
  /** For how long the commands are run again until all is seen, in milliseconds; 0: once. */
  readonly withinMs: number;
}

export type Part = TextPart | RunPart;

/** A walkthrough read from its file. The grammar is told in docs/walkthroughs/README.md. */
export interface WalkthroughDocument {
  readonly title: string;
  readonly parts: readonly Part[];
}

const fence = /^```(.*)$/;
const expectInfo = /^expect(?: within=(\d+)s)?$/;

/**
 * Reads a walkthrough.
 *
 * @throws LabError naming the line, for a block that is not closed, an `expect` without commands before it, or no title
 */
export function parseWalkthrough(markdown: string, name: string): WalkthroughDocument {
  const lines = markdown.split('\n');
  const parts: Part[] = [];
  let text: string[] = [];
  const endText = (): void => {
    const whole = text.join('\n').trim();
    if (whole !== '') parts.push({ kind: 'text', text: whole });
    text = [];
  };
  for (let index = 0; index < lines.length; index += 1) {
    const info = fence.exec(lines[index]!)?.[1]?.trim();
    if (info === undefined) {
      text.push(lines[index]!);
      continue;
    }
    const begin = index;
    const block: string[] = [];
    for (index += 1; index < lines.length && !fence.test(lines[index]!); index += 1) block.push(lines[index]!);
    if (index === lines.length) throw new LabError(`${name}:${begin + 1}: this block is not closed`);
    const expected = expectInfo.exec(info);
    if (info === 'sh run') {
      endText();
      parts.push({ kind: 'run', line: begin + 1, commands: block.join('\n'), expectations: [], withinMs: 0 });
    } else if (expected !== null) {
      const before = parts.at(-1);
      if (before?.kind !== 'run' || text.join('').trim() !== '' || before.expectations.length > 0) {
        throw new LabError(`${name}:${begin + 1}: an expect block must follow a run block`);
      }
      const expectations = block.map((each) => each.trim()).filter((each) => each !== '');
      parts[parts.length - 1] = { ...before, expectations, withinMs: Number(expected[1] ?? 0) * 1_000 };
      text = [];
    } else if (/^(expect|sh run)/.test(info)) {
      throw new LabError(`${name}:${begin + 1}: this block is of no known kind: ${info}`);
    } else {
      text.push(lines[begin]!, ...block, lines[index]!);
    }
  }
  endText();
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  if (title === undefined) throw new LabError(`${name}: a walkthrough begins with a title, '# …'`);
  return { title, parts };
}
