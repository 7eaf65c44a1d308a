import { SystemTime } from '@klassic/common';
import type { Time } from '@klassic/common';

/** What a tool reads and writes, handed in so that tests can stand in for a terminal. */
export interface ToolIo {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Writes to standard output exactly what it is given. */
  out(text: string | Buffer): void;
  /** Writes to standard error exactly what it is given. */
  err(text: string): void;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly time: Time;
}

/** A command line tool: takes its arguments, returns its exit code. */
export type Tool = (argv: readonly string[], io: ToolIo) => Promise<number>;

/** A mistake on the command line: one clear line, exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs a tool as this process: the launchers in `bin/` do nothing else. */
export async function runTool(tool: Tool): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopping.abort();
    });
  }
  // Whoever reads our output may have seen enough (`| head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const io: ToolIo = {
    stdin: process.stdin,
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      process.stderr.write(text);
    },
    signal: stopping.signal,
    time: new SystemTime(),
  };
  const code = await runWith(tool, process.argv.slice(2), io);
  process.exitCode = code;
  // A terminal or pipe on standard input would keep the process.
  process.stdin.destroy();
}

/** Runs a tool and turns what it throws into one line on standard error and exit code 1. */
export async function runWith(tool: Tool, argv: readonly string[], io: ToolIo): Promise<number> {
  try {
    return await tool(argv, io);
  } catch (error) {
    io.err(`${(error as Error).message}\n`);
    return 1;
  }
}

/** A line as the original's tools log to the terminal: `[2021-04-21 10:00:00,000] WARN message (logger)`. */
export function logLine(io: ToolIo, level: 'WARN' | 'ERROR', message: string, logger: string): void {
  const now = new Date(io.time.milliseconds());
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  const date = `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}`;
  const clock = `${pad(now.getHours())}:${pad(now.getMinutes())}:${pad(now.getSeconds())},${pad(now.getMilliseconds(), 3)}`;
  io.err(`[${date} ${clock}] ${level} ${message} (${logger})\n`);
}
