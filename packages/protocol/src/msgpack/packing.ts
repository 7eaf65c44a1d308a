import { addExtension, Packr, Unpackr } from 'msgpackr';
import { REFERENCE_ABOVE_BYTES } from '../binary/writer.ts';
import { MalformedMessageError, ProtocolError } from '../protocol-error.ts';
import { bytes } from '../scalar-checks.ts';

/** Frames are cut from slabs of this many bytes. */
const SLAB_BYTES = 256 * 1024;

/** What must be left of a slab for the next frame; msgpackr takes a larger buffer when a frame needs it. */
const ROOM_BYTES = 64 * 1024;

/** The head of a `bin 32`: marker and length. */
const BIN32_HEAD = 5;

/** An extension type that never reaches the wire: it only tells msgpackr to ask us. */
const REFERENCE_TYPE = 0x4b;

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

/** A large record set in the arrays to be packed: only the head of its `bin 32` is written. */
class Reference {
  readonly records: Buffer;

  constructor(records: Buffer) {
    this.records = records;
  }
}

/** What is left of the slab in use. */
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);

/** Where large record sets are to be put in: offsets into the packed bytes. */
const cuts: { at: number; records: Buffer }[] = [];

type Allocate = (size: number) => { target: Buffer; position: number };

function packReference(reference: Reference, allocate: Allocate): void {
  const { target, position } = allocate(BIN32_HEAD);
  target[position] = 0xc6;
  target.writeUInt32BE(reference.records.length, position + 1);
  cuts.push({ at: position + BIN32_HEAD, records: reference.records });
}

addExtension({
  Class: Reference,
  type: REFERENCE_TYPE,
  // msgpackr's types leave out the allocator that it hands to `pack`.
  pack: packReference as unknown as (value: Reference) => Buffer,
  unpack: () => {
    throw new MalformedMessageError('An extension type that is never sent');
  },
});

/** A record set as it goes into the arrays: a large one by reference. */
export function recordsToPack(value: unknown): Buffer | Reference {
  const records = bytes(value);
  return records.length > REFERENCE_ABOVE_BYTES ? new Reference(records) : records;
}

/**
 * Packs nested arrays.
 *
 * @param reserved bytes to be left free in front
 * @returns the bytes in pieces, large record sets among them as they came
 */
export function pack(value: unknown[], reserved: number): Buffer[] {
  if (slab.length < ROOM_BYTES) slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  // Told where to write, msgpackr counts positions from there.
  packr.useBuffer(slab);
  cuts.length = 0;
  const packed = packr.pack(value, RESERVE_START_SPACE | reserved);
  if (packed.buffer === slab.buffer) slab = slab.subarray(packed.length);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const { at, records } of cuts) {
    chunks.push(packed.subarray(from, at), records);
    from = at;
  }
  if (from < packed.length) chunks.push(packed.subarray(from));
  cuts.length = 0;
  return chunks;
}

/** msgpackr's option: the low byte says how many bytes to leave free in front. */
const RESERVE_START_SPACE = 2048;

/** Unpacks the one value from `start` to the end. @throws MalformedMessageError */
export function unpack(frame: Buffer, start: number): unknown {
  try {
    return unpackr.unpack(frame, { start, end: frame.length });
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new MalformedMessageError(`No MessagePack: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
