const SEQUENCES = 2 ** 31;

/** The sequence `by` records later: after 2^31-1 comes 0 (DefaultRecordBatch.incrementSequence). */
export function incrementSequence(sequence: number, by: number): number {
  return (sequence + by) % SEQUENCES;
}

/** The sequence `by` records earlier: before 0 stands 2^31-1. */
export function decrementSequence(sequence: number, by: number): number {
  return (sequence - by + SEQUENCES) % SEQUENCES;
}
