import { readFileSync } from 'node:fs';
import { parse } from 'dot-properties';

/** The settings cannot be read at all: one line for the operator. */
export class PropertiesFileError extends Error {
  override readonly name = 'PropertiesFileError';
}

/**
 * Reads a `server.properties` (Java's properties format) and applies `key=value` overrides, the last one winning.
 *
 * @throws PropertiesFileError when the file cannot be read or an override is not `key=value`
 */
export function readProperties(path: string, overrides: readonly string[] = []): Record<string, string> {
  const properties = { ...(parse(readText(path)) as Record<string, string>) };
  for (const override of overrides) {
    const equals = override.indexOf('=');
    if (equals <= 0) throw new PropertiesFileError(`--override ${override}: expected key=value`);
    properties[override.slice(0, equals).trim()] = override.slice(equals + 1).trim();
  }
  return properties;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PropertiesFileError(`cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : String(code)}`);
  }
}
