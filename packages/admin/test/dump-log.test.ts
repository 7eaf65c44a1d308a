import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { SystemTime } from '@klassic/common';
import { buildBatch } from '@klassic/protocol';
import { describeWithReference, readReferenceJson, referenceFile, referenceHome } from '@klassic/test-support';
import { dumpLogCommand } from '../src/dump-log/dump-log-command.ts';
import { runWith } from '../src/tool.ts';

interface Result {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Case extends Result {
  readonly name: string;
  readonly argv: string[];
}

const CLUSTER = ['cluster', '2.8.2'] as const;

async function run(argv: readonly string[]): Promise<Result> {
  let stdout = '';
  let stderr = '';
  const exit = await runWith(dumpLogCommand, argv, {
    stdin: new PassThrough(),
    out: (text) => (stdout += text.toString()),
    err: (text) => (stderr += text),
    signal: new AbortController().signal,
    time: new SystemTime(),
  });
  return { exit, stdout, stderr };
}

function dumps(): string[] {
  if (referenceHome === undefined) return ['none'];
  const home = referenceFile(...CLUSTER);
  return readdirSync(home, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.dump.txt'))
    .sort();
}

function decoderOf(path: string): string[] {
  if (path.includes('__consumer_offsets')) return ['--offsets-decoder'];
  return path.includes('__transaction_state') ? ['--transaction-log-decoder'] : [];
}

describeWithReference(describe)('kafka-dump-log', () => {
  it.each(dumps())('prints %s as the original does', async (path) => {
    const dump = referenceFile(...CLUSTER, path);
    const file = dump.slice(0, -'.dump.txt'.length);
    const [wantedOut = '', wantedErr = ''] = readFileSync(dump, 'utf8').split('STDERR: ');
    const decoder = decoderOf(path);
    const { exit, stdout, stderr } = await run(['--files', file, '--deep-iteration', '--print-data-log', ...decoder]);
    const place = (text: string): string => text.replaceAll(/<log\.dir-\d>\/[^/]+|\/\S+\/broker-\d\/[^/]+/g, '<dir>');
    expect(exit).toBe(0);
    expect(place(stdout).trimEnd()).toBe(place(wantedOut).trimEnd());
    expect(place(stderr).trimEnd()).toBe(place(wantedErr).trimEnd());
    expect(basename(dirname(file))).not.toBe('');
  });

  it('answers the captured command lines', async () => {
    const { cases } = readReferenceJson(...CLUSTER, 'cli', 'kafka-dump-log.json') as { cases: Case[] };
    const dir = mkdtempSync(join(tmpdir(), 'klassic-dump-'));
    try {
      const folder = join(dir, 't2-1');
      mkdirSync(folder);
      const records = [
        ['k1', 'v1'],
        ['k2', 'v2'],
        ['k1', 'v3'],
      ].map(([key, value]) => ({ timestamp: 1, key: Buffer.from(key!), value: Buffer.from(value!) }));
      writeFileSync(join(folder, '00000000000000000000.log'), buildBatch({ records, partitionLeaderEpoch: 0 }));
      writeFileSync(join(folder, '00000000000000000000.index'), Buffer.alloc(800));
      writeFileSync(join(folder, '00000000000000000000.timeindex'), Buffer.alloc(1200));
      const tidy = (text: string): string =>
        text
          .replaceAll(dir, '<log.dir-1>')
          .replaceAll(/CreateTime: (?:\d+|<ms>)/g, 'CreateTime: <ms>')
          .replaceAll(/crc: \d+/g, 'crc: <crc>');
      for (const { name, argv, exit, stdout, stderr } of cases) {
        const got = await run(argv.map((word) => word.replace('<log.dir-1>', dir)));
        expect({ name, exit: got.exit, stdout: tidy(got.stdout) }).toEqual({ name, exit, stdout: tidy(stdout) });
        const firstLine = (text: string): string => text.split('\n')[0]!;
        expect(exit === 0 ? tidy(got.stderr) : firstLine(got.stderr)).toBe(exit === 0 ? stderr : firstLine(stderr));
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('kafka-dump-log', () => {
  it('tells what lies behind the last whole batch, and refuses what it cannot do', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'klassic-dump-'));
    try {
      const file = join(dir, '00000000000000000000.log');
      const batch = buildBatch({ records: [{ timestamp: 1, key: null, value: Buffer.from('x') }] });
      writeFileSync(file, Buffer.concat([batch, batch.subarray(0, 40)]));
      cpSync(file, join(dir, 'other.txt'));
      const { stdout, stderr } = await run(['--files', `${file},${join(dir, 'other.txt')}`]);
      expect(stdout).toContain('Found 40 invalid bytes at the end of 00000000000000000000.log\n');
      expect(stderr).toBe(`Ignoring unknown file ${join(dir, 'other.txt')}\n`);
      expect((await run(['--files', file, '--value-decoder-class', 'a.B'])).exit).toBe(1);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
