import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout this code runs from, whether as `src/` or as `dist/`. */
export const checkout: string = resolve(import.meta.dirname, '../../..');

/** Where things fetched once are kept: `KLASSIC_CACHE`, else `klassic` under the user's cache folder (XDG). */
export function cacheHome(env: NodeJS.ProcessEnv = process.env): string {
  return env['KLASSIC_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'klassic');
}

/** Where the lab keeps its cluster: `KLASSIC_LAB_HOME`, else `.lab` in the checkout. */
export function labHome(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['KLASSIC_LAB_HOME'] ?? join(checkout, '.lab'));
}
