import { invariant } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { batchesOf } from '@klassic/protocol';
import {
  CLEANED_SUFFIX,
  logFilePath,
  offsetIndexPath,
  SWAP_SUFFIX,
  timeIndexPath,
  transactionIndexPath,
} from './file-names.ts';
import { deleteIfExists } from './files.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogSegments } from './log-segments.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import type { SegmentDeletion } from './segment-deletion.ts';

/** What a swap of segments touches. */
export interface SwapTarget {
  readonly dir: string;
  readonly segments: LogSegments;
  readonly deletion: SegmentDeletion;
  readonly producerStateManager: ProducerStateManager;
  readonly openSegment: (baseOffset: number, fileSuffix: string, isNew: boolean) => LogSegment;
}

/** An empty segment whose files bear the suffix `.cleaned`: a restart removes them, whatever they hold. */
export function newCleanedSegment(target: SwapTarget, baseOffset: number): LogSegment {
  for (const path of [logFilePath, offsetIndexPath, timeIndexPath, transactionIndexPath]) {
    deleteIfExists(path(target.dir, baseOffset, CLEANED_SUFFIX));
  }
  return target.openSegment(baseOffset, CLEANED_SUFFIX, true);
}

/**
 * Puts whole, flushed `.cleaned` segments in the place of others. Once the last of them is called `.swap` a restart
 * finishes the swap; before that it undoes it. Counterpart of `Log.replaceSegments`.
 *
 * @param newSegments by base offset, rising
 */
export function replaceSegments(
  target: SwapTarget,
  newSegments: readonly LogSegment[],
  oldSegments: readonly LogSegment[],
): void {
  for (const segment of newSegments.toReversed()) segment.changeFileSuffixes(CLEANED_SUFFIX, SWAP_SUFFIX);
  for (const segment of oldSegments) target.segments.remove(segment.baseOffset);
  for (const segment of newSegments) target.segments.add(segment);
  const kept = new Set(newSegments.map((segment) => segment.baseOffset));
  for (const segment of oldSegments) {
    // The snapshot at the base offset of a segment that goes on stays true.
    target.deletion.delete([segment], true, kept.has(segment.baseOffset) ? null : target.producerStateManager);
  }
  for (const segment of newSegments) segment.changeFileSuffixes(SWAP_SUFFIX, '');
}

/**
 * Cuts a segment in pieces whose offsets all fit in index entries (KAFKA-5413: compaction before Kafka 2.0 could join
 * segments too far apart). Counterpart of `Log.splitOverflowedSegment`.
 */
export function splitOverflowedSegment(target: SwapTarget, segment: LogSegment, logger: Logger): LogSegment[] {
  logger.info(`Splitting overflowed segment ${segment.toString()}`);
  const pieces: LogSegment[] = [];
  for (const chunk of segment.log.chunks()) {
    for (const batch of batchesOf(chunk.bytes)) {
      let piece = pieces.at(-1);
      if (piece?.canConvertToRelativeOffset(batch.lastOffset) !== true) {
        piece = newCleanedSegment(target, batch.baseOffset);
        pieces.push(piece);
      }
      piece.append(batch.lastOffset, batch.maxTimestamp, batch.lastOffset, batch.bytes);
    }
  }
  const modifiedMs = segment.log.lastModifiedMs;
  for (const piece of pieces) {
    piece.onBecomeInactiveSegment();
    piece.flush();
    piece.setLastModified(modifiedMs);
  }
  const bytes = pieces.reduce((sum, piece) => sum + piece.size, 0);
  invariant(
    bytes === segment.size,
    () => `${segment.size} bytes before the split of ${segment.toString()}, ${bytes} after`,
  );
  logger.info(`Replacing overflowed segment ${segment.toString()} with split segments ${pieces.join(',')}`);
  replaceSegments(target, pieces, [segment]);
  return pieces;
}
