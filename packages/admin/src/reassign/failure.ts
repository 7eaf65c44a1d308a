/** Nothing went wrong in the tool: the message is all there is to say (`TerseReassignmentFailureException`). */
export class ReassignmentFailedError extends Error {
  override readonly name = 'ReassignmentFailedError';
}
