/**
 * An offset together with where its batch lies, so that two offsets can be compared in bytes without touching the disk.
 * Counterpart of `kafka.server.LogOffsetMetadata`.
 */
export interface LogOffsetMetadata {
  readonly messageOffset: number;
  /** Base offset of the segment; -1 when only the offset is known. */
  readonly segmentBaseOffset: number;
  /** Byte position inside the segment's `.log` file; -1 when only the offset is known. */
  readonly relativePositionInSegment: number;
}

/** Metadata of an offset whose place is not known (yet). */
export function offsetOnly(messageOffset: number): LogOffsetMetadata {
  return { messageOffset, segmentBaseOffset: -1, relativePositionInSegment: -1 };
}

/** Whether the place of the offset is unknown. */
export function isOffsetOnly(metadata: LogOffsetMetadata): boolean {
  return metadata.segmentBaseOffset === -1 && metadata.relativePositionInSegment === -1;
}

/** Whether `left` lies in an earlier segment than `right`; false when either place is unknown. */
export function onOlderSegment(left: LogOffsetMetadata, right: LogOffsetMetadata): boolean {
  if (isOffsetOnly(left) || isOffsetOnly(right)) return false;
  return left.segmentBaseOffset < right.segmentBaseOffset;
}

/** Whether both places are known and lie in the same segment. */
export function onSameSegment(left: LogOffsetMetadata, right: LogOffsetMetadata): boolean {
  if (isOffsetOnly(left) || isOffsetOnly(right)) return false;
  return left.segmentBaseOffset === right.segmentBaseOffset;
}

/** Bytes from `right` to `left`, both in the same segment; what a fetch counts towards `fetch.min.bytes`. */
export function positionDiff(left: LogOffsetMetadata, right: LogOffsetMetadata): number {
  return left.relativePositionInSegment - right.relativePositionInSegment;
}
