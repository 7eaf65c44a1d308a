export {
  array,
  bool,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  one,
  records,
  string,
  struct,
  uint16,
  uuid,
} from './field.ts';
export type { Field, FieldOptions, Fields, RawTaggedField, ScalarName, ScalarTypes, Struct } from './field.ts';
export { data, header, isFlexible, request, response } from './message.ts';
export type { InitOf, MessageOf, MessageType, Schema } from './message.ts';
export { ZERO_UUID } from './layout.ts';
export { includesVersion, versionRange } from './version-range.ts';
export type { VersionRange } from './version-range.ts';
