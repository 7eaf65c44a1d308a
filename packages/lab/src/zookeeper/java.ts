import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The oldest Java that ZooKeeper 3.9 is run on here. */
const oldestJava = 11;

/**
 * A Java runtime of version 11 or later: `JAVA_HOME`'s, else the one on PATH.
 *
 * @returns the command, or undefined where there is none
 */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const home = env['JAVA_HOME'];
  const candidates = [...(home === undefined || home === '' ? [] : [join(home, 'bin', 'java')]), 'java'];
  for (const candidate of candidates) {
    const version = await javaVersion(candidate, env);
    if (version !== undefined && version >= oldestJava) return candidate;
  }
  return undefined;
}

/** The feature version (`17` of `17.0.15`, `8` of `1.8.0_402`), or undefined when the command cannot be run. */
function javaVersion(command: string, env: NodeJS.ProcessEnv): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile(command, ['-version'], { env, timeout: 15_000 }, (error, _stdout, stderr) => {
      const match = /version "(?:1\.)?(\d+)/.exec(stderr);
      resolve(error !== null || match === null ? undefined : Number(match[1]));
    });
  });
}
