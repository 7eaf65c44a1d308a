import { TcpRelay } from '@klassic/test-support';
import type { TappedFrame, WrittenOp, WrittenTransaction } from '@klassic/test-support';
import { JuteReader } from './jute-reader.ts';
import { WatchBook } from './watch-book.ts';
import type { Watches } from './watch-book.ts';

/** Operation codes of ZooKeeper's protocol (`ZooDefs.OpCode`) that change the tree, and `check` within a multi. */
const writes: ReadonlyMap<number, string> = new Map([
  [1, 'create'],
  [15, 'create'],
  [2, 'delete'],
  [5, 'setData'],
  [13, 'check'],
]);
/** Those that read one znode, and what they watch when asked to. */
const reads: ReadonlyMap<number, { readonly op: string; readonly kind: 'data' | 'child' }> = new Map([
  [3, { op: 'exists', kind: 'data' }],
  [4, { op: 'getData', kind: 'data' }],
  [8, { op: 'getChildren', kind: 'child' }],
  [12, { op: 'getChildren', kind: 'child' }],
]);
const multi = 14;
const multiEnd = -1;
const setWatches = 101;
/** The transaction id of a reply that is none: a watch event. */
const eventXid = -1;
const noError = 0;
const noNode = -101;
/** What a step of a refused multi bears that is not the one to blame (`RUNTIMEINCONSISTENCY`). */
const notToBlame = -2;
const codes: ReadonlyMap<number, string> = new Map([
  [noError, 'OK'],
  [noNode, 'NO_NODE'],
  [-103, 'BAD_VERSION'],
  [-110, 'NODE_EXISTS'],
  [-111, 'NOT_EMPTY'],
]);

interface AskedWrite {
  readonly ops: readonly WrittenOp[];
  readonly isMulti: boolean;
}

export interface TappedWrite extends WrittenTransaction {
  /** Counts the answers to all brokers' writes. */
  readonly order: number;
}

let answers = 0;

/** A read that ZooKeeper was asked for. */
export interface TappedRead {
  readonly op: string;
  readonly path: string;
  readonly isWatched: boolean;
  /** Whether the session had made `/brokers/ids/<id>` by then: what a broker reads while it starts it reads once. */
  readonly isRegistered: boolean;
}

type AskedRead = Omit<TappedRead, 'isRegistered'>;
type Asked = { readonly write: AskedWrite } | { readonly read: AskedRead; readonly kind: 'data' | 'child' };

interface Connection {
  readonly asked: Map<number, Asked>;
  readonly book: WatchBook;
  readonly session: number;
  isAnswered: boolean;
}

/**
 * A broker's only way to ZooKeeper, which reads along: what the broker wrote, in the order in which ZooKeeper answered, what it
 * read and what it watches. Sessions are named as in the recordings: `broker-2#1`, and `broker-2#2` after a restart or an expiry.
 */
export class ZooKeeperTap {
  readonly written: TappedWrite[] = [];
  readonly read: TappedRead[] = [];
  private readonly brokerId: number;
  private readonly zooKeeperPort: number;
  private readonly connections = new Map<number, Connection>();
  private readonly registered = new Set<number>();
  private last: Connection | undefined;
  private sessions = 0;
  private relay!: TcpRelay;

  private constructor(brokerId: number, zooKeeperPort: number) {
    this.brokerId = brokerId;
    this.zooKeeperPort = zooKeeperPort;
  }

  static async start(brokerId: number, zooKeeperPort: number): Promise<ZooKeeperTap> {
    const tap = new ZooKeeperTap(brokerId, zooKeeperPort);
    tap.relay = await TcpRelay.start({ targetPort: zooKeeperPort, onFrame: (frame) => tap.note(frame) });
    return tap;
  }

  /** What the broker is given as `zookeeper.connect`. */
  get connectString(): string {
    return this.relay.address;
  }

  /** ZooKeeper's own `host:port`. */
  get target(): string {
    return `127.0.0.1:${this.zooKeeperPort}`;
  }

  /** Whether the broker's newest connection has been welcomed, and is open. */
  get isConnected(): boolean {
    return this.relay.connections > 0 && this.last?.isAnswered === true;
  }

  /** What the broker's newest session watches, with the session's name; undefined before its first. */
  get watches(): { readonly who: string; readonly watches: Watches } | undefined {
    return this.last && { who: this.nameOf(this.last), watches: this.last.book.watches };
  }

  /** Closes the broker's connections, and each new one at once, until `heal`. */
  cut(): void {
    this.relay.cut();
  }

  /** Passes nothing on, either way, until `heal`. */
  pause(): void {
    this.relay.pause();
  }

  heal(): void {
    this.relay.heal();
  }

  close(): Promise<void> {
    return this.relay.close();
  }

  private note({ connection: id, direction, frame }: TappedFrame): void {
    const connection = this.connections.get(id);
    if (connection === undefined) {
      // A connect request: protocol version, last zxid, timeout, session id. 0 asks for a new session.
      if (frame.readBigInt64BE(16) === 0n) this.sessions += 1;
      this.last = { asked: new Map(), book: new WatchBook(), session: this.sessions, isAnswered: false };
      this.connections.set(id, this.last);
      return;
    }
    const reader = new JuteReader(frame);
    if (direction === 'to-server') this.noteRequest(connection, reader);
    else if (connection.isAnswered) this.noteReply(connection, reader);
    else connection.isAnswered = true;
  }

  private noteRequest({ asked, book }: Connection, reader: JuteReader): void {
    const xid = reader.int();
    const type = reader.int();
    const read = reads.get(type);
    if (read !== undefined) {
      asked.set(xid, {
        read: { op: read.op, path: reader.text(), isWatched: reader.boolean() },
        kind: read.kind,
      });
      return;
    }
    if (type === setWatches) {
      reader.long();
      // Events that were missed come before the reply: the watches are set by the request.
      for (const kind of ['data', 'data', 'child'] as const) for (const path of reader.texts()) book.set(kind, path);
      return;
    }
    const write = readWrite(type, reader);
    if (write !== undefined) asked.set(xid, { write });
  }

  private noteReply(connection: Connection, reader: JuteReader): void {
    const xid = reader.int();
    reader.long();
    const error = reader.int();
    if (xid === eventXid) {
      const type = reader.int();
      reader.int();
      connection.book.fire(type, reader.text());
      return;
    }
    const asked = connection.asked.get(xid);
    if (asked === undefined) return;
    connection.asked.delete(xid);
    if ('write' in asked) {
      const code = error === noError && asked.write.isMulti ? codeOfMulti(reader) : error;
      const txn = { who: this.nameOf(connection), ...asked.write, code: codes.get(code) ?? String(code) };
      this.written.push({ ...txn, order: (answers += 1) });
      const isRegistration = asked.write.ops[0]!.path === `/brokers/ids/${this.brokerId}`;
      if (isRegistration && code === noError) this.registered.add(connection.session);
      return;
    }
    const { read, kind } = asked;
    this.read.push({ ...read, isRegistered: this.registered.has(connection.session) });
    const isSet = error === noError || (error === noNode && read.op === 'exists');
    if (read.isWatched && isSet) connection.book.set(kind, read.path);
  }

  private nameOf({ session }: Connection): string {
    return `broker-${this.brokerId}#${session}`;
  }
}

function readWrite(type: number, reader: JuteReader): AskedWrite | undefined {
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
