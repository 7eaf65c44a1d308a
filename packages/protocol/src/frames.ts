import type { Api, ApiName, RequestInit, RequestOf, ResponseInit, ResponseOf } from './apis.ts';
import { ProtocolError } from './protocol-error.ts';

/** How a connection's frames are written: Kafka's binary protocol, or MessagePack arrays from the same schemas. */
export type Codec = 'kafka' | 'msgpack';

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** A request's header, and where its body is. */
export interface DecodedHeader extends RequestHeader {
  readonly api: Api<ApiName>;
  /** False for ApiVersions of a version this release doesn't know: its body cannot be read, the answer is v0 with error 35. */
  readonly versionSupported: boolean;
  /** Where the body starts, in bytes from the start of the frame. */
  readonly bodyOffset: number;
}

/** The codec of a connection, by the first byte of its first frame: an API key's high byte is 0x00, an array's marker is not. */
export function detectCodec(firstByte: number): Codec {
  return firstByte === 0 ? 'kafka' : 'msgpack';
}

/** A request with its int32 size in front, in pieces: large record sets are referenced, not copied. */
export function encodeRequestFrame<A extends ApiName>(
  _codec: Codec,
  _api: A,
  _version: number,
  _correlationId: number,
  _clientId: string | null,
  _body: RequestInit<A>,
): Buffer[] {
  throw new ProtocolError('under construction');
}

/** @param frame without its size. @throws InvalidRequestError when it is no request's header */
export function decodeRequestHeader(_codec: Codec, _frame: Buffer): DecodedHeader {
  throw new ProtocolError('under construction');
}

/** @throws MalformedMessageError, Int64RangeError */
export function decodeRequestBody(_codec: Codec, _frame: Buffer, _header: DecodedHeader): RequestOf<ApiName> {
  throw new ProtocolError('under construction');
}

/** A response with its int32 size in front, in pieces: large record sets are referenced, not copied. */
export function encodeResponseFrame<A extends ApiName>(
  _codec: Codec,
  _api: A,
  _version: number,
  _correlationId: number,
  _body: ResponseInit<A>,
): Buffer[] {
  throw new ProtocolError('under construction');
}

/** @param frame without its size. @throws MalformedMessageError, Int64RangeError */
export function decodeResponseFrame<A extends ApiName>(
  _codec: Codec,
  _api: A,
  _version: number,
  _frame: Buffer,
): { correlationId: number; body: ResponseOf<A> } {
  throw new ProtocolError('under construction');
}
