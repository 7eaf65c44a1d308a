import { TcpRelay } from '@klassic/test-support';
import type { TappedFrame, WrittenOp, WrittenTransaction } from '@klassic/test-support';

/** Operation codes of ZooKeeper's protocol (`ZooDefs.OpCode`) that change the tree, and `check` within a multi. */
const writes: ReadonlyMap<number, string> = new Map([
  [1, 'create'],
  [15, 'create'],
  [2, 'delete'],
  [5, 'setData'],
  [13, 'check'],
]);
const multi = 14;
const multiEnd = -1;
const noError = 0;
/** What a step of a refused multi bears that is not the one to blame (`RUNTIMEINCONSISTENCY`). */
const notToBlame = -2;
const codes: ReadonlyMap<number, string> = new Map([
  [noError, 'OK'],
  [-101, 'NO_NODE'],
  [-103, 'BAD_VERSION'],
  [-110, 'NODE_EXISTS'],
  [-111, 'NOT_EMPTY'],
]);

interface Asked {
  readonly ops: readonly WrittenOp[];
  readonly isMulti: boolean;
}

/**
 * A broker's only way to ZooKeeper, which reads along: what the broker wrote, in the order in which ZooKeeper answered.
 * Sessions are named as in the recordings: `broker-2#1`, and `broker-2#2` after a restart or an expiry.
 */
export class ZooKeeperTap {
  readonly written: WrittenTransaction[] = [];
  private readonly brokerId: number;
  private readonly asked = new Map<string, Asked>();
  private readonly greeted = new Set<string>();
  private sessions = 0;
  private relay!: TcpRelay;

  private constructor(brokerId: number) {
    this.brokerId = brokerId;
  }

  static async start(brokerId: number, zooKeeperPort: number): Promise<ZooKeeperTap> {
    const tap = new ZooKeeperTap(brokerId);
    tap.relay = await TcpRelay.start({ targetPort: zooKeeperPort, onFrame: (frame) => tap.note(frame) });
    return tap;
  }

  /** What the broker is given as `zookeeper.connect`. */
  get connectString(): string {
    return this.relay.address;
  }

  close(): Promise<void> {
    return this.relay.close();
  }

  private note({ connection, direction, frame }: TappedFrame): void {
    const side = `${connection} ${direction}`;
    if (!this.greeted.has(side)) {
      this.greeted.add(side);
      // A connect request: protocol version, last zxid, timeout, session id. 0 asks for a new session.
      if (direction === 'to-server' && frame.readBigInt64BE(16) === 0n) this.sessions += 1;
      return;
    }
    const reader = new JuteReader(frame);
    const key = `${connection}/${reader.int()}`;
    if (direction === 'to-server') {
      const asked = readWrite(reader);
      if (asked !== undefined) this.asked.set(key, asked);
      return;
    }
    const asked = this.asked.get(key);
    if (asked === undefined) return;
    this.asked.delete(key);
    reader.long();
    const error = reader.int();
    const code = error === noError && asked.isMulti ? codeOfMulti(reader) : error;
    const who = `broker-${this.brokerId}#${this.sessions}`;
    this.written.push({ who, ...asked, code: codes.get(code) ?? String(code) });
  }
}

function readWrite(reader: JuteReader): Asked | undefined {
  const type = reader.int();
  if (type !== multi) {
    const op = writes.get(type);
    return op === undefined ? undefined : { ops: [readOp(op, reader)], isMulti: false };
  }
  const ops: WrittenOp[] = [];
  for (;;) {
    const step = reader.int();
    reader.skip(5);
    if (step === multiEnd) return { ops, isMulti: true };
    ops.push(readOp(writes.get(step)!, reader));
  }
}

function readOp(op: string, reader: JuteReader): WrittenOp {
  const path = reader.text();
  switch (op) {
    case 'create': {
      const data = reader.buffer();
      for (let acls = reader.int(); acls > 0; acls -= 1) {
        reader.skip(4);
        reader.buffer();
        reader.buffer();
      }
      reader.skip(4);
      return { op, path, data };
    }
    case 'setData':
      return { op, path, data: reader.buffer(), version: reader.int() };
    default:
      return { op, path, version: reader.int() };
  }
}

/** A refused multi tells the error of each step: of those before the one to blame 0, of those after it RUNTIMEINCONSISTENCY. */
function codeOfMulti(reader: JuteReader): number {
  const isRefused = reader.int() === multiEnd;
  if (!isRefused) return noError;
  reader.skip(5);
  for (let error = reader.int(); ; error = reader.int()) {
    if (error !== noError && error !== notToBlame) return error;
    reader.skip(9);
  }
}

/** Reads ZooKeeper's serialisation. */
class JuteReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  long(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at));
  }

  text(): string {
    return this.buffer()?.toString('utf8') ?? '';
  }

  skip(bytes: number): void {
    this.at += bytes;
  }
}
