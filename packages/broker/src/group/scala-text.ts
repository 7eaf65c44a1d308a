/** An optional value as the reference's log texts have it. */
export function option(value: string | number | null | undefined): string {
  return value === null || value === undefined ? 'None' : `Some(${value})`;
}

/** A set as the reference's log texts have it. */
export function setOf(items: Iterable<string>): string {
  return `Set(${[...items].join(', ')})`;
}
