/** A partition or replica could not be moved to another state (`kafka.common.StateChangeFailedException`). */
export class StateChangeFailedError extends Error {
  override readonly name = 'StateChangeFailedError';
}
