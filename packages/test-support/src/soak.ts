/** Whether the long forms of tests are wanted: more rounds, more partitions, scenarios that wait for sessions to expire. */
export function isSoak(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['KLASSIC_SOAK'] !== undefined;
}
