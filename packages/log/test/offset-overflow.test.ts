import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { batchesOf, buildBatch } from '@klassic/protocol';
import { openLog, withTempDir } from './support.ts';

const FAR = 2 ** 31 + 5;

function batchAt(baseOffset: number): Buffer {
  return buildBatch({
    baseOffset,
    records: [{ timestamp: 1, key: Buffer.from('k'), value: Buffer.from(`${baseOffset}`) }],
  });
}

describe('a segment whose offsets lie too far apart', () => {
  it('is split when the log is opened', async () => {
    await withTempDir((dir) => {
      mkdirSync(join(dir, 't-0'));
      const offsets = [0, 7, FAR, FAR + 1, 2 * FAR + 9];
      writeFileSync(join(dir, 't-0', `${'0'.repeat(20)}.log`), Buffer.concat(offsets.map(batchAt)));
      const log = openLog(dir, { 'file.delete.delay.ms': '0' }, { hadCleanShutdown: false });
      expect(log.segmentBaseOffsets).toEqual([0, FAR, 2 * FAR + 9]);
      expect(log.logEndOffset).toBe(2 * FAR + 10);
      for (const offset of offsets) {
        const [batch] = batchesOf(log.read(offset, 1, 'log_end', true).records);
        expect(batch?.baseOffset).toBe(offset);
      }
      expect(readdirSync(log.dir).filter((name) => /cleaned|swap/.test(name))).toEqual([]);
      log.close();
    });
  });
});
