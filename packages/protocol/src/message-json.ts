import { ProtocolError } from './protocol-error.ts';
import type { InitOf, Schema } from './schema/index.ts';

/** A message as the request logger prints it: schema order, bytes in base64, of record sets only their size. */
export function messageToJson<S extends Schema>(
  _schema: S,
  _version: number,
  _body: InitOf<S>,
): Record<string, unknown> {
  throw new ProtocolError('under construction');
}
