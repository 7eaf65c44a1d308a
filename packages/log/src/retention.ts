import type { LogSegment } from './log-segment.ts';
import type { LogSegments } from './log-segments.ts';

/** Why segments go, as the log says it. */
export type RetentionReason = 'retention time' | 'retention size' | 'log start offset';

export interface RetentionView {
  readonly segments: LogSegments;
  readonly highWatermark: number;
  readonly logEndOffset: number;
}

/**
 * The segments from the beginning of the log on that satisfy `expired`, as long as they lie below the high watermark
 * whole. The active segment may be among them, unless it is empty. Counterpart of `Log.deletableSegments`.
 */
export function deletableSegments(
  view: RetentionView,
  expired: (segment: LogSegment, next: LogSegment | undefined) => boolean,
): LogSegment[] {
  const deletable: LogSegment[] = [];
  for (const segment of view.segments) {
    const next = view.segments.higher(segment.baseOffset);
    const upperBound = next?.baseOffset ?? view.logEndOffset;
    const isEmptyActive = next === undefined && segment.size === 0;
    if (view.highWatermark < upperBound || isEmptyActive || !expired(segment, next)) break;
    deletable.push(segment);
  }
  return deletable;
}

/** Segments whose greatest timestamp is older than `retention.ms`. */
export function expiredByTime(retentionMs: number, nowMs: number): (segment: LogSegment) => boolean {
  return (segment) => retentionMs >= 0 && nowMs - segment.largestTimestamp > retentionMs;
}

/** Oldest segments that `retention.bytes` can do without. */
export function expiredBySize(retentionBytes: number, size: number): (segment: LogSegment) => boolean {
  let surplus = size - retentionBytes;
  return (segment) => {
    if (retentionBytes < 0 || surplus - segment.size < 0) return false;
    surplus -= segment.size;
    return true;
  };
}

/** Segments that lie below the log start offset whole. */
export function belowLogStart(logStartOffset: number): (segment: LogSegment, next: LogSegment | undefined) => boolean {
  return (_segment, next) => next !== undefined && next.baseOffset <= logStartOffset;
}
