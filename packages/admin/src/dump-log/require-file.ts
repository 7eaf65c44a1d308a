import { existsSync } from 'node:fs';

/** @throws Error for a file that is not there, in the words of Java */
export function requireFile(path: string): string {
  if (!existsSync(path)) throw new Error(`Exception in thread "main" java.nio.file.NoSuchFileException: ${path}`);
  return path;
}
