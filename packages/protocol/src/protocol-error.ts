/** What is wrong with the bytes of a message, or with a value that is to become bytes. */
export class ProtocolError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Bytes that are no message of the schema: too short, too long, a length or null that cannot be. */
export class MalformedMessageError extends ProtocolError {}

/** A frame whose header cannot be read: the connection is to be closed (InvalidRequestException). */
export class InvalidRequestError extends ProtocolError {}

/** A version the schema lacks, or a value for a field that the version lacks and that may not be dropped. */
export class UnsupportedVersionError extends ProtocolError {}

/** An int64 beyond ±(2^53 - 1), where a `number` would no longer be exact. */
export class Int64RangeError extends ProtocolError {}

/** A value that its field cannot hold: 70,000 for an int16, null where it is not allowed, a string over 32,767 bytes. */
export class UnencodableValueError extends ProtocolError {}
