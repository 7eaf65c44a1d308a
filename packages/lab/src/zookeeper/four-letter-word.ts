import { connect } from 'node:net';

/**
 * Asks a ZooKeeper server one of its four letter words (`srvr`, `mntr`, `dump`, …) and returns the answer.
 *
 * @throws Error when it does not answer within `timeoutMs`
 */
export function fourLetterWord(host: string, port: number, word: string, timeoutMs = 2_000): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, host, () => socket.end(word));
    const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} did not answer '${word}'`)), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

export type ZooKeeperMode = 'standalone' | 'leader' | 'follower' | 'observer';

/**
 * The role in which a server serves, as `srvr` says it; `ruok` answers too early to be of use.
 *
 * @returns undefined while it does not serve requests
 */
export async function zooKeeperMode(host: string, port: number): Promise<ZooKeeperMode | undefined> {
  try {
    const mode = /^Mode: (\w+)/m.exec(await fourLetterWord(host, port, 'srvr'))?.[1];
    return mode as ZooKeeperMode | undefined;
  } catch {
    // A server that refuses or stays silent is one that does not serve.
    return undefined;
  }
}
