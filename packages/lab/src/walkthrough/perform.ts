import { sleep } from '../eventually.ts';
import type { RunPart, WalkthroughDocument } from './document.ts';
import { fill, judge } from './expectation.ts';
import type { Captures } from './expectation.ts';
import type { ShellSession } from './shell-session.ts';

export interface Stage {
  readonly shell: ShellSession;
  /** Takes what the audience reads. */
  readonly say: (text: string) => void;
  /** Called when commands have been shown and are about to run: waits for Enter when the walkthrough is stepped through. */
  readonly pause: () => Promise<void>;
}

export interface Performance {
  readonly blocks: number;
  readonly observations: number;
  /** The first thing that was not as the document says; undefined when all was. */
  readonly failure: string | undefined;
}

/** Tells the text and runs the commands, in their order, and stops at the first thing that is not as the document says. */
export async function perform(document: WalkthroughDocument, name: string, stage: Stage): Promise<Performance> {
  let captures: Captures = new Map();
  let blocks = 0;
  let observations = 0;
  for (const part of document.parts) {
    if (part.kind === 'text') {
      stage.say(`\n${part.text}\n`);
      continue;
    }
    blocks += 1;
    const outcome = await runBlock(part, captures, stage);
    if (outcome.failure !== undefined) {
      return { blocks, observations, failure: `${name}.md:${part.line}: ${outcome.failure}` };
    }
    for (const expectation of part.expectations) stage.say(`  ✓ ${fill(expectation, outcome.captures)}`);
    observations += part.expectations.length;
    for (const [key, value] of outcome.captures) if (!captures.has(key)) await stage.shell.set(key, value);
    captures = outcome.captures;
  }
  return { blocks, observations, failure: undefined };
}

async function runBlock(
  part: RunPart,
  known: Captures,
  stage: Stage,
): Promise<{ captures: Captures; failure: string | undefined }> {
  for (const line of part.commands.split('\n')) stage.say(`$ ${line}`);
  await stage.pause();
  const deadline = performance.now() + part.withinMs;
  for (;;) {
    const { output, ok } = await stage.shell.run(part.commands);
    const verdict = judge(part.expectations, output, known);
    const failure = verdict.met ? (ok ? undefined : 'a command failed') : `not seen: ${verdict.missed}`;
    if (failure === undefined || performance.now() >= deadline) {
      if (output !== '') stage.say(output);
      return { captures: verdict.met ? verdict.captures : known, failure };
    }
    await sleep(500);
  }
}
