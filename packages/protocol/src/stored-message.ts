import { readMessage } from './binary/decoder.ts';
import { writeMessage } from './binary/encoder.ts';
import { BinaryReader } from './binary/reader.ts';
import { BinaryWriter } from './binary/writer.ts';
import { MalformedMessageError } from './protocol-error.ts';
import type { InitOf, MessageOf, Schema } from './schema/index.ts';

/** Most stored messages fit in here. */
const SIZE_HINT = 256;

const writer = new BinaryWriter();

function joined(chunks: Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** A message's bytes without any header. @throws UnsupportedVersionError, UnencodableValueError, Int64RangeError */
export function encodeMessage<S extends Schema>(schema: S, version: number, body: InitOf<S>): Buffer {
  writer.begin(SIZE_HINT);
  writeMessage(schema, version, writer, body);
  return joined(writer.finish());
}

/**
 * The message at the start of a buffer. Bytes behind it are passed over, as Kafka does.
 *
 * @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError
 */
export function decodeMessage<S extends Schema>(schema: S, version: number, bytes: Buffer): MessageOf<S> {
  return readMessage(schema, version, new BinaryReader(bytes));
}

/** A message behind its version as int16: the form of stored keys and values and of ConsumerProtocol. */
export function encodeVersionedMessage<S extends Schema>(schema: S, version: number, body: InitOf<S>): Buffer {
  writer.begin(SIZE_HINT);
  const at = writer.reserve(2);
  writer.view.setInt16(at, version);
  writeMessage(schema, version, writer, body);
  return joined(writer.finish());
}

/** The int16 version in front. @throws MalformedMessageError when there are not two bytes */
export function storedVersion(bytes: Buffer): number {
  if (bytes.length < 2) throw new MalformedMessageError(`${bytes.length} bytes are too few for a version`);
  return bytes.readInt16BE(0);
}

/**
 * Reads version and message.
 *
 * @param newerVersions what to do with a version above the schema's: stored messages refuse it; ConsumerProtocol is
 *   read as the newest version known, whose fields come first in it
 * @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError
 */
export function decodeVersionedMessage<S extends Schema>(
  schema: S,
  bytes: Buffer,
  newerVersions: 'refuse' | 'read-as-newest' = 'refuse',
): { version: number; message: MessageOf<S> } {
  const version = storedVersion(bytes);
  const known = newerVersions === 'refuse' ? version : Math.min(version, schema.versions.max);
  return { version, message: readMessage(schema, known, new BinaryReader(bytes, 2)) };
}
