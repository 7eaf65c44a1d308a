#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { decodeCommand, USAGE, UsageError } from './command.ts';

try {
  const text = decodeCommand(process.argv.slice(2), {
    readFile: (path) => readFileSync(path),
    readStandardInput: () => readFileSync(process.stdin.fd, 'utf8'),
  });
  process.stdout.write(text);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
