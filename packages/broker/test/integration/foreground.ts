import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually, killAfterwards } from '@klassic/test-support';

const script = resolve(import.meta.dirname, '../../../../scripts/kafka-server-start');

/** How a broker's process ended, and what it said. */
export interface Ending {
  readonly exitCode: number | null;
  readonly stdout: string;
  /** Lines of its standard error. */
  readonly complaints: readonly string[];
}

/** A broker as a child of the test, to see what it says on the terminal and with which code it ends. */
export class ForegroundBroker {
  /** Resolves when the process has ended. */
  readonly ending: Promise<Ending>;
  private readonly child: ChildProcess;
  private readonly serverLog: string;

  /** @param folder with a server.properties, as `prepareBroker` writes it */
  constructor(folder: string, ...args: string[]) {
    const logs = join(folder, 'logs');
    this.serverLog = join(logs, 'server.log');
    this.child = spawn(script, [join(folder, 'server.properties'), ...args], {
      cwd: folder,
      env: { ...process.env, LOG_DIR: logs, TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    this.ending = new Promise((done) => {
      this.child.once('close', (exitCode) => {
        done({ exitCode, stdout, complaints: stderr.split('\n').filter((line) => line !== '') });
      });
    });
    const startTime = startTimeOf(this.child.pid!);
    if (startTime !== undefined) killAfterwards({ pid: this.child.pid!, startTime });
  }

  /** Waits until it says that it is started. */
  async started(): Promise<void> {
    await eventually(() => /\[KafkaServer id=\d+\] started/.test(readFileSync(this.serverLog, 'utf8')), {
      what: 'the start of the broker',
      timeoutMs: 30_000,
    });
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

/** Runs a broker that is not to start, to its end. */
export function runToItsEnd(folder: string, ...args: string[]): Promise<Ending> {
  return new ForegroundBroker(folder, ...args).ending;
}

/** When the process began, as Linux tells it; undefined elsewhere. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
