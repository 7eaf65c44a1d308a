import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface ShellResult {
  /** Standard output and error, in the order written. */
  readonly output: string;
  /** Whether every command ended well. */
  readonly ok: boolean;
}

/** One bash for a whole walkthrough, so that variables of one block are there in the next. */
export class ShellSession {
  private readonly shell: ChildProcessByStdio<Writable, Readable, null>;
  private readonly folder = mkdtempSync(join(tmpdir(), 'klassic-walkthrough-'));
  private output = '';
  private wake: () => void = () => undefined;
  private closed = false;
  private count = 0;

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.shell = spawn('bash', ['--noprofile', '--norc'], { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.shell.stdout.setEncoding('utf8');
    this.shell.stdout.on('data', (text: string) => {
      this.output += text;
      this.wake();
    });
    this.shell.once('close', () => {
      this.closed = true;
      this.wake();
    });
    // A command that fails anywhere in a block is remembered; the block goes on, as it would at a terminal.
    this.shell.stdin.write("exec 2>&1; set -E -o pipefail; trap 'klassic_failed=1' ERR\n");
  }

  /** Runs commands and waits for their end. @throws Error when they end the shell */
  async run(commands: string): Promise<ShellResult> {
    this.count += 1;
    const mark = `klassic-end-of-block-${this.count}`;
    const file = join(this.folder, `block-${this.count}.sh`);
    writeFileSync(file, `${commands}\n`);
    this.output = '';
    this.shell.stdin.write(`klassic_failed=0; source '${file}' </dev/null; echo; echo ${mark} $klassic_failed\n`);
    const end = new RegExp(`\\n${mark} (\\d)\\n`);
    for (;;) {
      const match = end.exec(this.output);
      if (match !== null) return { output: this.output.slice(0, match.index).trimEnd(), ok: match[1] === '0' };
      if (this.closed) throw new Error(`the shell ended:\n${this.output}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Sets a variable. */
  async set(name: string, value: string): Promise<void> {
    await this.run(`${name}='${value.replaceAll("'", "'\\''")}'`);
  }

  close(): void {
    this.shell.stdin.end();
    this.shell.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
