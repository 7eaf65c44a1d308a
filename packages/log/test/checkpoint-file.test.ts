import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

import { KafkaStorageError, OffsetCheckpointFile } from '../src/index.ts';
import { withTempDir } from './support.ts';

const name = 'replication-offset-checkpoint';

/** The text of a checkpoint of one partition. */
const textOf = (offset: number): string => `0\n1\nt 0 ${offset}\n`;
const offsets = (offset: number): Map<string, number> => new Map([['t-0', offset]]);

describe('a checkpoint file that is written in the background', () => {
  it('keeps its old content until the new one is on the disk, and has the bytes of the original then', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, name);
      const file = new OffsetCheckpointFile(path);
      file.write(offsets(1));
      const written = file.writeInBackground(offsets(2));
      expect(readFileSync(path, 'utf8')).toBe(textOf(1));
      await written;
      expect(readFileSync(path, 'utf8')).toBe(textOf(2));
      expect(readdirSync(dir)).toEqual([name]);
    });
  });

  it('has the last of several contents in the end', async () => {
    await withTempDir(async (dir) => {
      const file = new OffsetCheckpointFile(join(dir, name));
      await Promise.all([1, 2, 3, 4].map((offset) => file.writeInBackground(offsets(offset))));
      expect(file.read()).toEqual(offsets(4));
      // And goes on after that.
      await file.writeInBackground(offsets(5));
      expect(file.read()).toEqual(offsets(5));
    });
  });

  it('is not taken back behind a write that came in between', async () => {
    await withTempDir(async (dir) => {
      const file = new OffsetCheckpointFile(join(dir, name));
      const written = [file.writeInBackground(offsets(1)), file.writeInBackground(offsets(2))];
      file.write(offsets(3));
      await Promise.all(written);
      await file.settled();
      expect(file.read()).toEqual(offsets(3));
      expect(readdirSync(dir)).toEqual([name]);
    });
  });

  it('is read whole after a stop in the middle of a write', async () => {
    await withTempDir((dir) => {
      const path = join(dir, name);
      new OffsetCheckpointFile(path).write(offsets(7));
      // What a stop leaves behind: the temporary file, cut short.
      writeFileSync(`${path}.background.tmp`, '0\n1\nt 0');
      expect(new OffsetCheckpointFile(path).read()).toEqual(offsets(7));
    });
  });

  it('tells of a disk that refuses, and works again when it does', async () => {
    await withTempDir(async (dir) => {
      const logDir = join(dir, 'log');
      mkdirSync(logDir);
      const file = new OffsetCheckpointFile(join(logDir, name));
      rmSync(logDir, { recursive: true });
      const failed = file.writeInBackground(offsets(1));
      await expect(failed).rejects.toBeInstanceOf(KafkaStorageError);
      await expect(failed).rejects.toMatchObject({ logDir });
      await file.settled();
      mkdirSync(logDir);
      await file.writeInBackground(offsets(2));
      expect(file.read()).toEqual(offsets(2));
    });
  });
});
