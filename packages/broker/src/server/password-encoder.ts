import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { ConfigException } from './config-value.ts';

/** How passwords are encrypted: `password.encoder.*`. */
export interface PasswordEncoderOptions {
  /** `password.encoder.secret` */
  readonly secret: string;
  /** `password.encoder.keyfactory.algorithm`; null for `PBKDF2WithHmacSHA512`. */
  readonly keyFactoryAlgorithm: string | null;
  readonly cipherAlgorithm: string;
  /** Bits. */
  readonly keyLength: number;
  readonly iterations: number;
  readonly randomBytes: (size: number) => Buffer;
}

/** The stored fields, in the order in which the original's map writes them. */
const fields = [
  'encryptedPassword',
  'keyLength',
  'cipherAlgorithm',
  'initializationVector',
  'keyFactoryAlgorithm',
  'passwordLength',
  'salt',
  'iterations',
] as const;

const saltBytes = 256;
const ivBytes = 16;
const defaultKeyFactory = 'PBKDF2WithHmacSHA512';
const cbc = 'AES/CBC/PKCS5Padding';

/**
 * Encrypts dynamic passwords for ZooKeeper, in the very form that the original stores and reads: PBKDF2 for the key,
 * AES for the text, with everything that decoding needs beside it. Counterpart of `kafka.utils.PasswordEncoder`.
 */
export class PasswordEncoder {
  private readonly options: PasswordEncoderOptions;

  constructor(options: PasswordEncoderOptions) {
    this.options = options;
  }

  /** @throws ConfigException when the algorithms are not served */
  encode(password: string): string {
    const { secret, cipherAlgorithm, keyLength, iterations, randomBytes } = this.options;
    const keyFactoryAlgorithm = this.options.keyFactoryAlgorithm ?? defaultKeyFactory;
    const salt = randomBytes(saltBytes);
    const iv = randomBytes(ivBytes);
    const key = keyOf(secret, keyFactoryAlgorithm, keyLength, salt, iterations);
    const cipher = createCipheriv(cipherName(cipherAlgorithm, keyLength), key, iv);
    const encrypted = Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]);
    const values: Readonly<Record<(typeof fields)[number], string | number>> = {
      encryptedPassword: encrypted.toString('base64'),
      keyLength,
      cipherAlgorithm,
      initializationVector: iv.toString('base64'),
      keyFactoryAlgorithm,
      passwordLength: password.length,
      salt: salt.toString('base64'),
      iterations,
    };
    return fields.map((field) => `${field}:${values[field]}`).join(',');
  }

  /** @throws ConfigException when the text is not one that was encoded with this secret */
  decode(encoded: string): string {
    const stored = new Map(
      encoded.split(',').map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]),
    );
    const field = (name: (typeof fields)[number]): string => {
      const value = stored.get(name);
      if (value === undefined) throw new ConfigException(`The encoded password has no ${name}`);
      return value;
    };
    const keyLength = Number(field('keyLength'));
    const salt = Buffer.from(field('salt'), 'base64');
    const iv = Buffer.from(field('initializationVector'), 'base64');
    const cipherAlgorithm = cipherName(field('cipherAlgorithm'), keyLength);
    const iterations = Number(field('iterations'));
    const key = keyOf(this.options.secret, field('keyFactoryAlgorithm'), keyLength, salt, iterations);
    let password: string;
    try {
      const decipher = createDecipheriv(cipherAlgorithm, key, iv);
      const encrypted = Buffer.from(field('encryptedPassword'), 'base64');
      password = Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
    } catch (error) {
      throw new ConfigException('Password could not be decoded', { cause: error });
    }
    if (password.length === Number(field('passwordLength'))) return password;
    throw new ConfigException('Password could not be decoded, sanity check of length failed');
  }
}

function keyOf(secret: string, keyFactory: string, keyLength: number, salt: Buffer, iterations: number): Buffer {
  const digest = /^PBKDF2WithHmac(SHA(?:1|224|256|384|512))$/.exec(keyFactory)?.[1];
  if (digest === undefined) {
    throw new ConfigException(
      `Invalid value ${keyFactory} for configuration password.encoder.keyfactory.algorithm: use PBKDF2WithHmacSHA512`,
    );
  }
  return pbkdf2Sync(secret, salt, iterations, keyLength / 8, digest.toLowerCase());
}

function cipherName(algorithm: string, keyLength: number): string {
  if (algorithm === cbc && [128, 192, 256].includes(keyLength)) return `aes-${keyLength}-cbc`;
  throw new ConfigException(
    `Invalid value ${algorithm} for configuration password.encoder.cipher.algorithm: use ${cbc} with a key length of 128, 192 or 256`,
  );
}
