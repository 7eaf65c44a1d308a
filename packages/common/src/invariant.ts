/** What must hold did not: a programmer's error. Nobody catches it but the process's last handler, which ends it. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/**
 * States what must hold, in production too.
 *
 * @throws InvariantViolation with `message` when `condition` is false
 */
export function invariant(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantViolation(typeof message === 'string' ? message : message());
}
