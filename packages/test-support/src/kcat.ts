import { execFile, execFileSync } from 'node:child_process';

let found: boolean | undefined;
let said = false;

/** Whether kcat is installed (Debian's package `kcat`). */
export function hasKcat(): boolean {
  if (found === undefined) {
    try {
      execFileSync('kcat', ['-V'], { stdio: 'ignore' });
      found = true;
    } catch {
      // Whatever keeps it from running, the tests cannot use it.
      found = false;
    }
  }
  return found;
}

/**
 * `describe` where kcat is installed, else `describe.skip` with a line that says so.
 *
 * @param suite jest's `describe`
 */
export function describeWithKcat<T extends { skip: unknown }>(suite: T): T {
  if (hasKcat()) return suite;
  if (!said) {
    said = true;
    process.stderr.write('kcat is not installed (apt-get install kcat): its tests are skipped.\n');
  }
  return suite.skip as T;
}

export interface KcatResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs kcat to its end, for example `kcat(['-b', servers, '-L'])`.
 *
 * @param input what it reads on standard input
 */
export function kcat(args: readonly string[], input = '', timeoutMs = 60_000): Promise<KcatResult> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: 1 << 28 };
    const child = execFile('kcat', args, options, (error, stdout, stderr) => {
      if (error !== null && (error.killed === true || typeof error.code !== 'number')) {
        reject(new Error(`kcat ${args.join(' ')}: ${error.message} ${stderr}`));
      } else {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      }
    });
    // kcat may end before it has read everything: its exit code tells.
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input);
  });
}
