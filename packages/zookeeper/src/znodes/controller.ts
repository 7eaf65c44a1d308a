import { ZNodeFormatError } from '../errors.ts';
import { intOf, jsonBytes, parseObject } from './json.ts';

/** `/controller`: ephemeral, names the broker that is the controller. Written by whoever wins the race to create it. */
export const ControllerZNode = {
  path: '/controller',
  /** @param timestampMs wall clock */
  encode: (brokerId: number, timestampMs: number): Buffer =>
    jsonBytes({ version: 1, brokerid: brokerId, timestamp: String(timestampMs) }),
  /** @returns undefined when it cannot be read. @throws ZNodeFormatError */
  decode(bytes: Buffer | null): number | undefined {
    const object = parseObject(this.path, bytes);
    return object === undefined ? undefined : intOf(this.path, object, 'brokerid');
  },
};

/** `/controller_epoch`: plain decimal text, raised by every election; its znode version fences a deposed controller. */
export const ControllerEpochZNode = {
  path: '/controller_epoch',
  encode: (epoch: number): Buffer => Buffer.from(String(epoch), 'utf8'),
  /** @throws ZNodeFormatError */
  decode(bytes: Buffer | null): number {
    const text = bytes?.toString('utf8') ?? '';
    if (!/^\d+$/.test(text)) throw new ZNodeFormatError(`${this.path} holds no number: ${text}`);
    return Number(text);
  },
};
