import { readFileSync } from 'node:fs';
import type { TopicPartition } from '@klassic/common';
import { UsageError } from './tool.ts';

/** A file of JSON that does not hold what it should; the message says what. */
export class PartitionFileError extends Error {
  override readonly name = 'PartitionFileError';
}

/** @throws UsageError when it cannot be read */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

/** A JSON object, member by member. @throws PartitionFileError */
export class JsonObject {
  private readonly members: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new PartitionFileError(`Expected JSON object, received ${JSON.stringify(value)}`);
    }
    this.members = value as Record<string, unknown>;
  }

  /** @throws PartitionFileError also when the text is no JSON */
  static parse(text: string): JsonObject {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new PartitionFileError((error as Error).message, { cause: error });
    }
    return new JsonObject(value);
  }

  has(name: string): boolean {
    return this.members[name] !== undefined;
  }

  string(name: string): string {
    const value = this.get(name);
    if (typeof value !== 'string') throw wrongType(value, 'String value');
    return value;
  }

  number(name: string): number {
    return asNumber(this.get(name));
  }

  numbers(name: string): number[] {
    return this.array(name).map(asNumber);
  }

  strings(name: string): string[] {
    return this.array(name).map((value) => {
      if (typeof value !== 'string') throw wrongType(value, 'String value');
      return value;
    });
  }

  objects(name: string): JsonObject[] {
    return this.array(name).map((value) => new JsonObject(value));
  }

  private array(name: string): unknown[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw wrongType(value, 'JSON array');
    return value;
  }

  private get(name: string): unknown {
    const value = this.members[name];
    if (value === undefined) throw new PartitionFileError(`No such field exists: \`${name}\``);
    return value;
  }
}

function asNumber(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw wrongType(value, 'Integer value');
  return value as number;
}

function wrongType(value: unknown, wanted: string): PartitionFileError {
  return new PartitionFileError(`Expected \`${wanted}\` value, received ${JSON.stringify(value)}`);
}

/** Items that occur more than once, each once. */
export function duplicates<T>(items: readonly T[]): T[] {
  return [...new Set(items.filter((item, at) => items.indexOf(item) !== at))];
}

/** By topic, then by partition. */
export function compareTopicPartitions(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}
