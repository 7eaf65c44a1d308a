/** What became of an append to a partition of `__consumer_offsets`. */
export interface GroupAppendResult {
  readonly errorCode: number;
  /** Offset of the batch; -1 when nothing was appended. */
  readonly baseOffset: number;
}

/** The partitions of `__consumer_offsets` as the coordinator needs them. */
export interface GroupLog {
  /** Whether this broker has a replica of the partition, as leader or follower. */
  isHosted(partition: number): boolean;
  /**
   * Appends one batch. Resolves when as many replicas have it as `requiredAcks` says, or `timeoutMs` is over; it never
   * rejects.
   */
  append(partition: number, records: Buffer, requiredAcks: number, timeoutMs: number): Promise<GroupAppendResult>;
  /** First offset of the local log; undefined when there is none. */
  logStartOffset(partition: number): number | undefined;
  /** End of the local log (exclusive); undefined when this broker does not lead the partition. */
  leaderEndOffset(partition: number): number | undefined;
  /** Whole batches from `offset` on: at least one, and no more than `maxBytes` otherwise; empty at the end of the log. */
  read(partition: number, offset: number, maxBytes: number): Buffer;
}
