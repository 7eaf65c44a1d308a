import type { LogSegment } from '../log-segment.ts';

const MAX_RELATIVE_OFFSET = 0x7fffffff;

/** How large the segments of a group may be together. */
export interface GroupLimits {
  readonly maxBytes: number;
  readonly maxIndexBytes: number;
  /** Where the first segment begins that is not cleaned. */
  readonly firstUncleanableOffset: number;
}

/**
 * Runs of segments that are small enough to become one, so that cleaning again and again does not leave ever smaller
 * segments. Counterpart of `Cleaner.groupSegmentsBySize`.
 */
export function groupSegmentsBySize(segments: readonly LogSegment[], limits: GroupLimits): LogSegment[][] {
  const groups: LogSegment[][] = [];
  let group: LogSegment[] = [];
  let bytes = 0;
  let indexBytes = 0;
  let timeIndexBytes = 0;
  segments.forEach((segment, at) => {
    // The exact last offset would have to be read; the beginning of the next segment bounds it.
    const lastOffset = (segments[at + 1]?.baseOffset ?? limits.firstUncleanableOffset) - 1;
    bytes += segment.size;
    indexBytes += segment.offsetIndex.sizeInBytes;
    timeIndexBytes += segment.timeIndex.sizeInBytes;
    const fits =
      bytes <= limits.maxBytes &&
      indexBytes <= limits.maxIndexBytes &&
      timeIndexBytes <= limits.maxIndexBytes &&
      lastOffset - (group[0]?.baseOffset ?? segment.baseOffset) <= MAX_RELATIVE_OFFSET;
    if (group.length > 0 && !fits) {
      groups.push(group);
      group = [];
      bytes = segment.size;
      indexBytes = segment.offsetIndex.sizeInBytes;
      timeIndexBytes = segment.timeIndex.sizeInBytes;
    }
    group.push(segment);
  });
  if (group.length > 0) groups.push(group);
  return groups;
}
