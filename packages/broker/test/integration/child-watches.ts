import { TcpRelay } from '@klassic/test-support';
import type { TappedFrame } from '@klassic/test-support';

/** ZooKeeper's numbers for requests and events (`ZooDefs.OpCode`, `Watcher.Event.EventType`). */
const getChildren = 8;
const getChildren2 = 12;
const eventXid = -1;
const nodeDeleted = 2;
const nodeChildrenChanged = 4;

/**
 * Stands between a broker and ZooKeeper and notes whose children the broker watches: ZooKeeper itself tells by `wchc` only
 * the watches on data.
 */
export class ChildWatches {
  private readonly watched = new Set<string>();
  private relay!: TcpRelay;

  static async start(zooKeeperPort: number): Promise<ChildWatches> {
    const watches = new ChildWatches();
    watches.relay = await TcpRelay.start({ targetPort: zooKeeperPort, onFrame: (frame) => watches.note(frame) });
    return watches;
  }

  /** What the broker is given as `zookeeper.connect`. */
  get connectString(): string {
    return this.relay.address;
  }

  get paths(): readonly string[] {
    return [...this.watched];
  }

  close(): Promise<void> {
    return this.relay.close();
  }

  private note({ direction, frame }: TappedFrame): void {
    if (frame.length < 8) return;
    if (direction === 'to-server') {
      const operation = frame.readInt32BE(4);
      if (operation !== getChildren && operation !== getChildren2) return;
      const { text, end } = stringAt(frame, 8);
      if (frame[end] === 1) this.watched.add(text);
    } else if (frame.readInt32BE(0) === eventXid) {
      // A header of xid, zxid and error; the event's type, the session's state, the path.
      const type = frame.readInt32BE(16);
      if (type === nodeChildrenChanged || type === nodeDeleted) this.watched.delete(stringAt(frame, 24).text);
    }
  }
}

function stringAt(frame: Buffer, at: number): { text: string; end: number } {
  const end = at + 4 + frame.readInt32BE(at);
  return { text: frame.toString('utf8', at + 4, end), end };
}
