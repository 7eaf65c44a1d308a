import { apiByKey, apis } from './apis.ts';
import type { Api, ApiName, RequestInit, RequestOf, ResponseInit, ResponseOf } from './apis.ts';
import { readMessage } from './binary/decoder.ts';
import { writeMessage } from './binary/encoder.ts';
import { BinaryReader } from './binary/reader.ts';
import { BinaryWriter } from './binary/writer.ts';
import { RequestHeaderMessage, ResponseHeaderMessage } from './messages/headers.ts';
import { fromArrays } from './msgpack/decoder.ts';
import { toArrays } from './msgpack/encoder.ts';
import { readRequestHead } from './msgpack/head.ts';
import { pack, unpack } from './msgpack/packing.ts';
import { InvalidRequestError, MalformedMessageError, ProtocolError } from './protocol-error.ts';
import { includesVersion, isFlexible } from './schema/index.ts';
import { int32 } from './scalar-checks.ts';

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

/** The size in front of every frame, in bytes. */
const SIZE_BYTES = 4;

/** What is kept free for a frame at first; the writer grows. */
const SIZE_HINT = 512;

const writer = new BinaryWriter();

/** The codec of a connection, by the first byte of its first frame: an API key's high byte is 0x00, an array's marker is not. */
export function detectCodec(firstByte: number): Codec {
  return firstByte === 0 ? 'kafka' : 'msgpack';
}

/** ControlledShutdown v0 alone has no client id; flexible requests have flexible headers. */
export function requestHeaderVersion(api: Api, version: number): number {
  if (api.key === apis.ControlledShutdown.key && version === 0) return 0;
  return isFlexible(api.request, version) ? 2 : 1;
}

/** ApiVersions is always answered with header v0: the client may not know flexible versions (KIP-511). */
export function responseHeaderVersion(api: Api, version: number): number {
  return api.key !== apis.ApiVersions.key && isFlexible(api.response, version) ? 1 : 0;
}

/** Writes the size in front of a frame's pieces, where room was left for it. */
function sized(chunks: Buffer[]): Buffer[] {
  let size = -SIZE_BYTES;
  for (const chunk of chunks) size += chunk.length;
  chunks[0]!.writeInt32BE(size, 0);
  return chunks;
}

/**
 * A request with its int32 size in front, in pieces: large record sets are referenced, not copied.
 *
 * @throws UnsupportedVersionError, UnencodableValueError, Int64RangeError
 */
export function encodeRequestFrame<A extends ApiName>(
  codec: Codec,
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestInit<A>,
): Buffer[] {
  const { key, request } = apis[api];
  if (codec === 'msgpack') {
    return sized(pack([key, version, int32(correlationId), clientId, toArrays(request, version, body)], SIZE_BYTES));
  }
  writer.begin(SIZE_HINT);
  writer.reserve(SIZE_BYTES);
  const header = { requestApiKey: key, requestApiVersion: version, correlationId, clientId };
  writeMessage(RequestHeaderMessage, requestHeaderVersion(apis[api], version), writer, header);
  writeMessage(request, version, writer, body);
  return sized(writer.finish());
}

/**
 * @param frame without its size
 * @throws InvalidRequestError when it is no request's header, or one for an API or version that this release lacks
 */
export function decodeRequestHeader(codec: Codec, frame: Buffer): DecodedHeader {
  const header = codec === 'kafka' ? readBinaryHeader(frame) : readRequestHead(frame);
  const api = apiOf(header.apiKey);
  const versionSupported = includesVersion(api.request.versions, header.apiVersion);
  if (!versionSupported && api.name !== 'ApiVersions') {
    throw new InvalidRequestError(`${api.name} has no version ${header.apiVersion}`);
  }
  return { ...header, api, versionSupported };
}

function apiOf(key: number): Api<ApiName> {
  const api = apiByKey(key);
  if (api === undefined) throw new InvalidRequestError(`No API has the key ${key}`);
  return api;
}

function readBinaryHeader(frame: Buffer): RequestHeader & { bodyOffset: number } {
  if (frame.length < 4) throw new InvalidRequestError(`A request of ${frame.length} bytes has no header`);
  const headerVersion = requestHeaderVersion(apiOf(frame.readInt16BE(0)), frame.readInt16BE(2));
  const reader = new BinaryReader(frame);
  try {
    const { requestApiKey, requestApiVersion, correlationId, clientId } = readMessage(
      RequestHeaderMessage,
      headerVersion,
      reader,
    );
    return {
      apiKey: requestApiKey,
      apiVersion: requestApiVersion,
      correlationId,
      clientId,
      bodyOffset: reader.position,
    };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new InvalidRequestError(`No request header: ${error.message}`, { cause: error });
  }
}

/**
 * The body behind a header. ApiVersions of an unknown version is read as v0: its body cannot be known.
 * Bytes behind the body are passed over, as Kafka does.
 *
 * @throws MalformedMessageError, Int64RangeError
 */
export function decodeRequestBody(codec: Codec, frame: Buffer, header: DecodedHeader): RequestOf<ApiName> {
  const { request } = apis[header.api.name];
  if (!header.versionSupported) return readMessage(request, 0, new BinaryReader(frame, header.bodyOffset));
  return codec === 'kafka'
    ? readMessage(request, header.apiVersion, new BinaryReader(frame, header.bodyOffset))
    : fromArrays(request, header.apiVersion, unpack(frame, header.bodyOffset));
}

/**
 * A response with its int32 size in front, in pieces: large record sets are referenced, not copied.
 *
 * @throws UnsupportedVersionError, UnencodableValueError, Int64RangeError
 */
export function encodeResponseFrame<A extends ApiName>(
  codec: Codec,
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInit<A>,
): Buffer[] {
  const { response } = apis[api];
  if (codec === 'msgpack') {
    return sized(pack([int32(correlationId), toArrays(response, version, body)], SIZE_BYTES));
  }
  writer.begin(SIZE_HINT);
  writer.reserve(SIZE_BYTES);
  writeMessage(ResponseHeaderMessage, responseHeaderVersion(apis[api], version), writer, { correlationId });
  writeMessage(response, version, writer, body);
  return sized(writer.finish());
}

/** @param frame without its size. @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError */
export function decodeResponseFrame<A extends ApiName>(
  codec: Codec,
  api: A,
  version: number,
  frame: Buffer,
): { correlationId: number; body: ResponseOf<A> } {
  const { response } = apis[api];
  if (codec === 'kafka') {
    const reader = new BinaryReader(frame);
    const { correlationId } = readMessage(ResponseHeaderMessage, responseHeaderVersion(apis[api], version), reader);
    return { correlationId, body: readMessage(response, version, reader) as ResponseOf<A> };
  }
  const parts = unpack(frame, 0);
  if (!Array.isArray(parts) || parts.length !== 2 || !Number.isInteger(parts[0])) {
    throw new MalformedMessageError('A response is an array of correlation id and body');
  }
  return { correlationId: parts[0] as number, body: fromArrays(response, version, parts[1]) as ResponseOf<A> };
}
