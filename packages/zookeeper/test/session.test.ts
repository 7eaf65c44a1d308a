import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { desanitize, InvalidConnectStringError, parseConnectString, sanitize } from '@klassic/zookeeper';

import { FrameSplitter } from '../src/session/frame-splitter.ts';

describe('parseConnectString', () => {
  it('takes servers and chroot apart', () => {
    expect(parseConnectString('a:1')).toEqual({ servers: 'a:1', chroot: undefined });
    expect(parseConnectString('a,b:2 , c:3/kafka/x')).toEqual({ servers: 'a,b:2,c:3', chroot: '/kafka/x' });
    expect(parseConnectString('a:1/')).toEqual({ servers: 'a:1', chroot: undefined });
  });

  it.each(['', '/', ',', 'a:', 'a:b', 'a:0', 'a:65536', 'a:1,', 'a:1:2', 'a:1/x/', 'a:1//x', 'a:1/../x'])(
    'refuses %p with one line that names the setting',
    (text) => {
      expect(() => parseConnectString(text)).toThrow(InvalidConnectStringError);
      expect(() => parseConnectString(text)).toThrow(/^Invalid value .* for configuration zookeeper\.connect: .+$/);
    },
  );
});

describe('sanitize', () => {
  it('leaves no character that means something in a path or to a shell', () => {
    const names = ['alice', 'CN=a/b, OU=c', "it's *~(!)", '<default>', 'ünï'];
    for (const name of names) {
      expect(sanitize(name)).toMatch(/^[A-Za-z0-9._%-]+$/);
      expect(desanitize(sanitize(name))).toBe(name);
    }
    expect(sanitize('a b*')).toBe('a%20b%2A');
  });
});

describe('FrameSplitter', () => {
  it('finds the same frames however the bytes arrive', () => {
    const seed = 20_240_611;
    const random = new SeededRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const frames = [...Array(nextInt(random, 20)).keys()].map((n) => {
        const frame = Buffer.alloc(4 + nextInt(random, 100), n);
        frame.writeInt32BE(frame.length - 4);
        return frame;
      });
      const bytes = Buffer.concat(frames);
      const splitter = new FrameSplitter();
      const found: Buffer[] = [];
      for (let at = 0; at < bytes.length;) {
        const step = 1 + nextInt(random, 60);
        found.push(...splitter.push(bytes.subarray(at, at + step)));
        at += step;
      }
      expect({ seed, round, found }).toEqual({ seed, round, found: frames });
    }
  });

  it('refuses a size that cannot be one', () => {
    expect(() => new FrameSplitter().push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(RangeError);
    expect(() => new FrameSplitter().push(Buffer.from('HTTP/1.1'))).toThrow(RangeError);
  });
});
