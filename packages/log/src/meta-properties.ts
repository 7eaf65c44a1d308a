import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNotFound, isSystemError, replaceFile } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';

export const META_PROPERTIES_FILE = 'meta.properties';

const VERSION = 0;

/** What `meta.properties` of a log dir says (version 0, as brokers on ZooKeeper write it). */
export interface MetaProperties {
  readonly brokerId: number | null;
  readonly clusterId: string | null;
}

/** A `meta.properties` that makes no sense; the broker refuses to start on it. */
export class MalformedMetaPropertiesError extends Error {
  override readonly name = 'MalformedMetaPropertiesError';
}

/**
 * Reads `<logDir>/meta.properties`; null when there is none. Counterpart of `kafka.server.BrokerMetadataCheckpoint`.
 *
 * @throws KafkaStorageError when the disk refuses
 * @throws MalformedMetaPropertiesError when the content makes no sense
 */
export function readMetaProperties(logDir: string): MetaProperties | null {
  const path = join(logDir, META_PROPERTIES_FILE);
  const properties = new Map<string, string>();
  try {
    for (const line of readFileSync(path, 'latin1').split(/\r?\n/)) {
      const [, key, value] = /^\s*([^#!=:\s][^=:\s]*)\s*[=:\s]\s*(.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) properties.set(key, value.replaceAll(/\\(.)/g, '$1'));
    }
  } catch (error) {
    if (isNotFound(error)) return null;
    if (!isSystemError(error)) throw error;
    throw new KafkaStorageError(logDir, `Failed to read ${path}`, error);
  }
  const version = integer(path, properties, 'version') ?? VERSION;
  if (version !== VERSION) {
    throw new MalformedMetaPropertiesError(`Expected version ${VERSION} in ${path}, but got version ${version}`);
  }
  return { brokerId: integer(path, properties, 'broker.id'), clusterId: properties.get('cluster.id') ?? null };
}

/**
 * Writes `<logDir>/meta.properties` in one step, in the text and key order of Java's `Properties.store`.
 *
 * @throws KafkaStorageError
 */
export function writeMetaProperties(logDir: string, properties: MetaProperties, nowMs: number): void {
  const lines = ['#', `#${javaDate(nowMs)}`];
  if (properties.brokerId !== null) lines.push(`broker.id=${properties.brokerId}`);
  lines.push(`version=${VERSION}`);
  if (properties.clusterId !== null) lines.push(`cluster.id=${escapeValue(properties.clusterId)}`);
  const path = join(logDir, META_PROPERTIES_FILE);
  try {
    replaceFile(path, `${lines.join('\n')}\n`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new KafkaStorageError(logDir, `Failed to write ${path}`, error);
  }
}

function integer(path: string, properties: ReadonlyMap<string, string>, key: string): number | null {
  const text = properties.get(key);
  if (text === undefined) return null;
  if (!/^-?\d+$/.test(text.trim())) {
    throw new MalformedMetaPropertiesError(`Failed to parse ${key} property as an int in ${path}: ${text}`);
  }
  return Number(text);
}

function escapeValue(value: string): string {
  return value.replaceAll(/[\\=:#!]/g, String.raw`\$&`);
}

/** `Sun Sep 13 12:26:40 UTC 2020`, as Java's `Date.toString` has it in UTC. */
function javaDate(nowMs: number): string {
  const [, weekday, day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/.exec(new Date(nowMs).toUTCString()) ?? [];
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
