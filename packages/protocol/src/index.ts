export { apiByKey, apis } from './apis.ts';
export type { Api, ApiMessages, ApiName, RequestInit, RequestOf, ResponseInit, ResponseOf } from './apis.ts';
export { CooperativeStickyAssignorUserData, StickyAssignorUserData } from './assignor-user-data.ts';
export { annotateBatches, annotateMessage, annotateRequest, annotateResponse } from './decode/annotate.ts';
export type { AnnotatedBytes, Annotation } from './decode/annotation.ts';
export { annotatedJson, annotatedText } from './decode/text.ts';
export { errorByCode, Errors } from './errors.ts';
export type { ErrorName } from './errors.ts';
export {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseFrame,
  detectCodec,
  encodeRequestFrame,
  encodeResponseFrame,
} from './frames.ts';
export type { Codec, DecodedHeader, RequestHeader } from './frames.ts';
export { KafkaError } from './kafka-error.ts';
export type { ErrorEntry } from './kafka-error.ts';
export { messageToJson } from './message-json.ts';
export * from './messages/index.ts';
export {
  Int64RangeError,
  InvalidRequestError,
  MalformedMessageError,
  ProtocolError,
  UnencodableValueError,
  UnsupportedVersionError,
} from './protocol-error.ts';
export { ZERO_UUID } from './schema/index.ts';
export type { InitOf, MessageOf, RawTaggedField, Schema } from './schema/index.ts';
export {
  decodeMessage,
  decodeVersionedMessage,
  encodeMessage,
  encodeVersionedMessage,
  storedVersion,
} from './stored-message.ts';
export * from './records/index.ts';
