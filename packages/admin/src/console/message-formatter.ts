import type { ConsumerRecord } from '@klassic/client';
import { isTrue } from './line-message-reader.ts';

/** Writes records as `kafka.tools.DefaultMessageFormatter` does. */
export class DefaultMessageFormatter {
  private readonly properties: ReadonlyMap<string, string>;
  private readonly keySeparator: Buffer;
  private readonly lineSeparator: Buffer;
  private readonly headersSeparator: string;
  private readonly nullLiteral: Buffer;

  constructor(properties: ReadonlyMap<string, string>) {
    this.properties = properties;
    this.keySeparator = Buffer.from(properties.get('key.separator') ?? '\t');
    this.lineSeparator = Buffer.from(properties.get('line.separator') ?? '\n');
    this.headersSeparator = properties.get('headers.separator') ?? ',';
    this.nullLiteral = Buffer.from(properties.get('null.literal') ?? 'null');
  }

  /** The bytes of one record with its line separator; keys and values are written as they are. */
  format(record: ConsumerRecord): Buffer {
    const columns: Buffer[] = [];
    if (this.prints('timestamp')) {
      const { timestampType, timestamp } = record;
      columns.push(Buffer.from(timestampType === 'NoTimestampType' ? 'NO_TIMESTAMP' : `${timestampType}:${timestamp}`));
    }
    if (this.prints('partition')) columns.push(Buffer.from(`Partition:${record.partition}`));
    if (this.prints('offset')) columns.push(Buffer.from(`Offset:${record.offset}`));
    if (this.prints('headers')) columns.push(this.headers(record));
    if (this.prints('key')) columns.push(record.key ?? this.nullLiteral);
    const printsValue = this.properties.get('print.value') === undefined || this.prints('value');
    if (printsValue) columns.push(record.value ?? this.nullLiteral);
    const parts: Buffer[] = [];
    columns.forEach((column, index) => {
      if (index > 0) parts.push(this.keySeparator);
      parts.push(column);
    });
    return Buffer.concat([...parts, this.lineSeparator]);
  }

  private prints(what: string): boolean {
    return isTrue(this.properties.get(`print.${what}`));
  }

  private headers({ headers }: ConsumerRecord): Buffer {
    if (headers.length === 0) return Buffer.from('NO_HEADERS');
    const parts: Buffer[] = [];
    headers.forEach(({ key, value }, index) => {
      parts.push(Buffer.from(`${index > 0 ? this.headersSeparator : ''}${key}:`), value ?? this.nullLiteral);
    });
    return Buffer.concat(parts);
  }
}
