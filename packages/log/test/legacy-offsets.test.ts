import { describe, expect, it } from '@jest/globals';
import { buildBatch } from '@klassic/protocol';
import { legacyOffsetsBefore } from '../src/index.ts';
import { openLog, withTempDir } from './support.ts';

const batch = (): Buffer =>
  buildBatch({ records: [{ timestamp: 1_600_000_000_000, key: null, value: Buffer.alloc(50) }] });

describe('legacyOffsetsBefore', () => {
  it('tells the boundaries of segments, newest first, as many as asked for', () =>
    withTempDir((dir) => {
      const log = openLog(dir);
      for (let segment = 0; segment < 3; segment += 1) {
        log.appendAsLeader(batch(), 0);
        log.appendAsLeader(batch(), 0);
        log.roll();
      }
      log.appendAsLeader(batch(), 0);
      expect(legacyOffsetsBefore(log, -1, 10)).toEqual([7, 6, 4, 2, 0]);
      expect(legacyOffsetsBefore(log, -1, 2)).toEqual([7, 6]);
      expect(legacyOffsetsBefore(log, -2, 10)).toEqual([0]);
      expect(legacyOffsetsBefore(log, 0, 10)).toEqual([]);
      log.close();
    }));

  it('does not tell the end of an empty segment twice', () =>
    withTempDir((dir) => {
      const log = openLog(dir);
      log.appendAsLeader(batch(), 0);
      log.roll();
      expect(legacyOffsetsBefore(log, -1, 10)).toEqual([1, 0]);
      log.close();
    }));
});
