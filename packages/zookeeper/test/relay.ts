import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A plain TCP relay to ZooKeeper, whose link a test can cut, silence, or lose the replies of. */
export interface Relay {
  readonly connectString: string;
  /** Connections made so far. */
  readonly connections: number;
  /** Drops all connections and accepts none until `restore`. */
  cut(): void;
  /** Keeps connections open, and accepts new ones, but passes nothing on in either direction until `restore`. */
  silence(): void;
  /** Requests reach the server, but its replies are thrown away, from the first request on that contains `text`. */
  loseReplies(text: string): void;
  /** When the server hangs up the client is not told. */
  hideHangUps(): void;
  restore(): void;
  stop(): Promise<void>;
}

type Mode = 'open' | 'cut' | 'silent' | 'losing replies';

export async function startRelay(targetPort: number): Promise<Relay> {
  const pairs = new Set<{ near: Socket; far: Socket }>();
  let mode: Mode = 'open';
  let connections = 0;
  let fatal: string | undefined;
  let hangUpsHidden = false;

  const server = createServer((near) => {
    near.on('error', () => near.destroy());
    if (mode === 'cut') {
      near.destroy();
      return;
    }
    connections += 1;
    const far = connect(targetPort, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    far.on('error', () => near.destroy());
    near.on('close', () => {
      far.destroy();
      pairs.delete(pair);
    });
    far.on('close', () => {
      if (!hangUpsHidden) near.destroy();
    });
    near.on('data', (bytes) => {
      if (fatal !== undefined && bytes.includes(fatal)) mode = 'losing replies';
      if (mode !== 'silent') far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (mode === 'open') near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dropAll = (): void => {
    for (const { near } of pairs) near.destroy();
  };

  return {
    connectString: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    cut: () => {
      mode = 'cut';
      dropAll();
    },
    silence: () => {
      mode = 'silent';
    },
    loseReplies: (text) => {
      fatal = text;
    },
    hideHangUps: () => {
      hangUpsHidden = true;
    },
    restore: () => {
      // Bytes of a silent time are gone: what is left of those connections is no conversation any more.
      if (mode !== 'cut') dropAll();
      mode = 'open';
      fatal = undefined;
    },
    stop: async () => {
      dropAll();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
