import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigException } from '../../src/index.ts';
import { PasswordEncoder } from '../../src/server/password-encoder.ts';

const encoder = (secret: string): PasswordEncoder =>
  new PasswordEncoder({
    secret,
    keyFactoryAlgorithm: null,
    cipherAlgorithm: 'AES/CBC/PKCS5Padding',
    keyLength: 128,
    iterations: 1024,
    randomBytes,
  });

/** What Apache Kafka 2.8.2 with password.encoder.secret=secret wrote into /config/brokers/1. */
const storedByKafka =
  'encryptedPassword:86Q5DUWGDFPvpzi8YkBdcQ==,keyLength:128,cipherAlgorithm:AES/CBC/PKCS5Padding,initia' +
  'lizationVector:zRqAaDqcZgvoX4Tr0izwpw==,keyFactoryAlgorithm:PBKDF2WithHmacSHA512,passwordLength:8,sa' +
  'lt:2iZXaeYBjOce+6bo19eNDv05Tiuy66uL/AuP+uj2vgD3jpG0oXu8LEufI/u9h2wH6XL/aS9H6xoqk9gOOLj0AsLTN+kNnSvHz' +
  '41SqKJa9BkywsUMo2koFXaIy7g+YpODLfAG1XekzqaH5MbFcY3KUHEgJEgWCm2kwRsEh0elmr/7VRlHPiOx2h4ozx014NZ0X18Pn' +
  'ZcbC898b5XrgtFJeHBmRKbuTppyAuLuTXFxzMJk/D9Kw8NPFthRzSQv8QB+udszXUR0UmyEGNGjqlaiv3DbSuqFbc8eBxEofBgBz' +
  'uJNpGp4FvlsvWhkwxDzsy7uDqWeACUIC1JMX2TQVDrp+Q==,iterations:4096';

describe('PasswordEncoder', () => {
  it('reads what the original stored', () => {
    expect(encoder('secret').decode(storedByKafka)).toBe('pässword');
  });

  it('writes the fields of the original in its order, and reads them back', () => {
    const stored = encoder('other').encode('p,a:s=s');
    const names = (text: string): string[] => text.split(',').map((field) => field.slice(0, field.indexOf(':')));
    expect(names(stored)).toEqual(names(storedByKafka));
    expect(stored).not.toBe(encoder('other').encode('p,a:s=s'));
    expect(encoder('other').decode(stored)).toBe('p,a:s=s');
  });

  it('refuses another secret, and a text that is none of its own', () => {
    expect(() => encoder('wrong').decode(storedByKafka)).toThrow(ConfigException);
    expect(() => encoder('secret').decode('plain')).toThrow('The encoded password has no keyLength');
  });
});
