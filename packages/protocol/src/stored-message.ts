import { ProtocolError } from './protocol-error.ts';
import type { InitOf, MessageOf, Schema } from './schema/index.ts';

/** A message's bytes without any header. @throws UnsupportedVersionError, UnencodableValueError, Int64RangeError */
export function encodeMessage<S extends Schema>(_schema: S, _version: number, _body: InitOf<S>): Buffer {
  throw new ProtocolError('under construction');
}

/** A whole buffer as one message. @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError */
export function decodeMessage<S extends Schema>(_schema: S, _version: number, _bytes: Buffer): MessageOf<S> {
  throw new ProtocolError('under construction');
}

/** A message behind its version as int16: the form of stored keys and values and of ConsumerProtocol. */
export function encodeVersionedMessage<S extends Schema>(_schema: S, _version: number, _body: InitOf<S>): Buffer {
  throw new ProtocolError('under construction');
}

/** The int16 version in front. @throws MalformedMessageError when there are not two bytes */
export function storedVersion(_bytes: Buffer): number {
  throw new ProtocolError('under construction');
}

/** Reads version and message. A version above the schema's is read as its newest. @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError */
export function decodeVersionedMessage<S extends Schema>(
  _schema: S,
  _bytes: Buffer,
): { version: number; message: MessageOf<S> } {
  throw new ProtocolError('under construction');
}
