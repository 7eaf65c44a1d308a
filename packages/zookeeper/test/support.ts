import { SystemRandom, SystemTime } from '@klassic/common';
import type { LoggerFactory } from '@klassic/common';
import { silentLoggers } from '@klassic/common';
import { KafkaZkClient, ZooKeeperSession } from '@klassic/zookeeper';
import type { ZooKeeperSessionOptions } from '@klassic/zookeeper';

export const time = new SystemTime();

/** Every line that a session logged, as `name: message`. */
export function recordingLoggers(lines: string[]): LoggerFactory {
  return (name) => {
    const say = (message: string): void => {
      lines.push(`${name}: ${message}`);
    };
    return { ...silentLoggers(name), info: say, warn: say, error: say, debug: say, isEnabled: () => true };
  };
}

export function sessionOptions(
  connectString: string,
  overrides: Partial<ZooKeeperSessionOptions> = {},
): ZooKeeperSessionOptions {
  return {
    connectString,
    sessionTimeoutMs: 2000,
    connectionTimeoutMs: 5000,
    time,
    random: new SystemRandom(),
    loggers: silentLoggers,
    ...overrides,
  };
}

const open: ZooKeeperSession[] = [];

/** A session that `closeSessions` ends. */
export async function openSession(
  connectString: string,
  overrides: Partial<ZooKeeperSessionOptions> = {},
): Promise<ZooKeeperSession> {
  const session = await ZooKeeperSession.connect(sessionOptions(connectString, overrides));
  open.push(session);
  return session;
}

export async function openClient(
  connectString: string,
  overrides: Partial<ZooKeeperSessionOptions> = {},
): Promise<KafkaZkClient> {
  return new KafkaZkClient(await openSession(connectString, overrides), time, overrides.loggers ?? silentLoggers);
}

export async function closeSessions(): Promise<void> {
  await Promise.all(open.splice(0).map((session) => session.close()));
}
