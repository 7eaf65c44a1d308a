import { apiByKey } from '../apis.ts';
import type { Api } from '../apis.ts';
import { requestHeaderVersion, responseHeaderVersion } from '../frames.ts';
import type { Codec } from '../frames.ts';
import { RequestHeaderMessage, ResponseHeaderMessage } from '../messages/headers.ts';
import { includesVersion } from '../schema/index.ts';
import type { Schema } from '../schema/index.ts';
import { annotated, AnnotationError, Annotator } from './annotation.ts';
import type { AnnotatedBytes } from './annotation.ts';
import { annotateRecords } from './batches.ts';
import { BinaryAnnotator } from './binary.ts';
import { MsgpackAnnotator } from './msgpack.ts';

/** Bytes of the size in front of a frame. */
const SIZE_BYTES = 4;

function takeSize(a: Annotator): void {
  const size = a.int32('size', 'int32 bytes that follow');
  if (size < 0) throw new AnnotationError(`A frame of ${size} bytes`);
  a.end = Math.min(a.end, a.position + size);
}

function checkVersion(schema: Schema, version: number): void {
  if (!includesVersion(schema.versions, version)) {
    throw new AnnotationError(`${schema.name} has no version ${version}`);
  }
}

function apiOf(key: number): Api {
  const api = apiByKey(key);
  if (api === undefined) throw new AnnotationError(`No API has the key ${key}`);
  return api;
}

/** Names the bytes of a whole request frame with its size in front. The codec shows in the first byte behind the size. */
export function annotateRequest(frame: Buffer): AnnotatedBytes {
  const a = new Annotator(frame);
  return annotated(a, () => {
    takeSize(a);
    if (frame[SIZE_BYTES] === 0) binaryRequest(a);
    else msgpackRequest(a);
  });
}

function binaryRequest(a: Annotator): void {
  const { bytes, position } = a;
  if (a.end - position < 4) throw new AnnotationError(`A request of ${a.end - position} bytes has no header`);
  const api = apiOf(bytes.readInt16BE(position));
  const version = bytes.readInt16BE(position + 2);
  const headerVersion = requestHeaderVersion(api, version);
  a.inside('header', `RequestHeader v${headerVersion}: ${api.name}`, () => {
    new BinaryAnnotator(a, RequestHeaderMessage, headerVersion).struct(RequestHeaderMessage.body, 'header');
  });
  checkVersion(api.request, version);
  a.inside('body', `${api.request.name} v${version}`, () => {
    new BinaryAnnotator(a, api.request, version).struct(api.request.body, '');
  });
}

function msgpackRequest(a: Annotator): void {
  const m = new MsgpackAnnotator(a);
  m.arrayHead('request', 'fixarray: header and body');
  const [key, version] = ['apiKey', 'apiVersion', 'correlationId', 'clientId'].map((name) => {
    m.scalar(`header.${name}`);
    return a.annotations.at(-1)!.value;
  });
  const api = apiOf(Number(key));
  checkVersion(api.request, Number(version));
  a.inside('body', `${api.request.name} v${version}`, () => m.message(api.request, Number(version), ''));
}

/** Names the bytes of a whole response frame with its size in front; what it answers must be known. */
export function annotateResponse(frame: Buffer, codec: Codec, api: Api, version: number): AnnotatedBytes {
  const a = new Annotator(frame);
  return annotated(a, () => {
    checkVersion(api.response, version);
    takeSize(a);
    const title = `${api.response.name} v${version}`;
    if (codec === 'msgpack') {
      const m = new MsgpackAnnotator(a);
      m.arrayHead('response', 'fixarray: correlation id and body');
      m.scalar('header.correlationId');
      a.inside('body', title, () => m.message(api.response, version, ''));
      return;
    }
    const headerVersion = responseHeaderVersion(api, version);
    a.inside('header', `ResponseHeader v${headerVersion}`, () => {
      new BinaryAnnotator(a, ResponseHeaderMessage, headerVersion).struct(ResponseHeaderMessage.body, 'header');
    });
    a.inside('body', title, () => new BinaryAnnotator(a, api.response, version).struct(api.response.body, ''));
  });
}

/** Names the bytes of a message without a header: a stored key or value, say, behind its int16 version or without it. */
export function annotateMessage(bytes: Buffer, schema: Schema, version: number | 'in-front'): AnnotatedBytes {
  const a = new Annotator(bytes);
  return annotated(a, () => {
    const known = version === 'in-front' ? a.int16('(version)') : version;
    checkVersion(schema, known);
    new BinaryAnnotator(a, schema, known).struct(schema.body, '');
  });
}

/** Names the bytes of a record set: batches of magic 2, messages of magic 0 and 1. */
export function annotateBatches(bytes: Buffer): AnnotatedBytes {
  const a = new Annotator(bytes);
  return annotated(a, () => annotateRecords(a, bytes.length, 'batches'));
}
