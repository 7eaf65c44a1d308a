import type { ProducerRecord } from '@klassic/client';

/** A line that is no record. */
export class LineMessageError extends Error {}

/** How lines become records: the properties of `kafka.tools.ConsoleProducer.LineMessageReader`. */
export class LineMessageReader {
  private readonly topic: string;
  private readonly parseKey: boolean;
  private readonly keySeparator: string;
  private readonly ignoreError: boolean;
  private lineNumber = 0;

  constructor(topic: string, properties: ReadonlyMap<string, string>) {
    this.topic = topic;
    this.parseKey = isTrue(properties.get('parse.key'));
    this.keySeparator = properties.get('key.separator') ?? '\t';
    this.ignoreError = isTrue(properties.get('ignore.error'));
  }

  /** @throws LineMessageError when the line lacks the key it should have */
  read(line: string): ProducerRecord {
    this.lineNumber += 1;
    if (!this.parseKey) return { topic: this.topic, value: line };
    const separator = line.indexOf(this.keySeparator);
    if (separator >= 0) {
      const value = line.slice(separator + this.keySeparator.length);
      return { topic: this.topic, key: line.slice(0, separator), value };
    }
    if (this.ignoreError) return { topic: this.topic, value: line };
    throw new LineMessageError(`No key found on line ${this.lineNumber}: ${line}`);
  }
}

export function isTrue(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === 'true';
}
