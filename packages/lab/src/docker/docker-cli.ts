import { execFile } from 'node:child_process';
import { LabError } from '../lab-error.ts';
import type { ProcessState } from '../process/process-identity.ts';

/**
 * Runs `docker` with these arguments and returns what it printed.
 *
 * @throws LabError with docker's last line when it fails
 */
export function docker(
  args: readonly string[],
  timeoutMs = 600_000,
  streams: 'stdout' | 'both' = 'stdout',
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('docker', args, { timeout: timeoutMs, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve((streams === 'both' ? stdout + stderr : stdout).trim());
      else {
        const said = stderr.trim().split('\n').at(-1) ?? '';
        reject(new LabError(`docker ${args[0]} failed: ${said === '' ? error.message.split('\n')[0] : said}`));
      }
    });
  });
}

/** Whether a Docker engine answers. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    await docker(['version', '--format', '{{.Server.Version}}'], 10_000);
    return true;
  } catch {
    // No client, no engine or no right to speak to it: all the same to whoever asks.
    return false;
  }
}

/** Whether the container runs, is paused, or is gone (stopped or removed). */
export async function containerState(name: string): Promise<ProcessState> {
  const states = await docker(['ps', '--all', '--filter', `name=^/?${name}$`, '--format', '{{.State}}']);
  if (states === 'running') return 'running';
  return states === 'paused' ? 'paused' : 'gone';
}

/** Whether a container of this name was made, running or not. */
export async function containerExists(name: string): Promise<boolean> {
  return (await docker(['ps', '--all', '--quiet', '--filter', `name=^/?${name}$`])) !== '';
}

/** The pid of a running container's process in this machine's eyes; undefined when it does not run. */
export async function containerPid(name: string): Promise<number | undefined> {
  if ((await containerState(name)) === 'gone') return undefined;
  return Number(await docker(['inspect', '--format', '{{.State.Pid}}', name]));
}

/** Whether there is a network of this name. */
export async function networkExists(name: string): Promise<boolean> {
  return (await docker(['network', 'ls', '--quiet', '--filter', `name=^${name}$`])) !== '';
}
