import type { KafkaZkClient } from '@klassic/zookeeper';

const NAME = 'session-expire-listener';

/** Counts what becomes of the session with ZooKeeper, for the broker's metrics (`kafka.server.SessionExpireListener`). */
export class SessionWatch {
  /** Since the start, the first connection included. */
  readonly counts = { syncConnects: 1, disconnects: 0, expires: 0, authFailures: 0 };
  private readonly zkClient: KafkaZkClient;

  /** @param zkClient whose session is connected */
  constructor(zkClient: KafkaZkClient) {
    this.zkClient = zkClient;
    const { counts } = this;
    zkClient.registerStateChangeHandler({
      name: NAME,
      onConnected: () => (counts.syncConnects += 1),
      onDisconnected: () => (counts.disconnects += 1),
      beforeInitializingSession: () => void (counts.expires += 1),
      onAuthFailure: () => (counts.authFailures += 1),
    });
  }

  /** As ZooKeeper's own client calls it, for example `CONNECTED`. */
  get state(): string {
    return this.zkClient.session.state;
  }

  /** Id of the session as ZooKeeper's logs print it. */
  get sessionId(): string {
    return this.zkClient.session.sessionId;
  }

  close(): void {
    this.zkClient.unregisterStateChangeHandler(NAME);
  }
}
