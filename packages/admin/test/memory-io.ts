import { PassThrough } from 'node:stream';
import { SystemTime } from '@klassic/common';
import type { ToolIo } from '../src/index.ts';

/** Standard output and error of a tool, in memory. */
export function memoryIo(): ToolIo & { stdout: string; stderr: string } {
  const io = {
    stdin: new PassThrough(),
    stdout: '',
    stderr: '',
    out(text: string | Buffer) {
      io.stdout += text.toString();
    },
    err(text: string) {
      io.stderr += text;
    },
    signal: new AbortController().signal,
    time: new SystemTime(),
  };
  return io;
}
