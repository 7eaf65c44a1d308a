import { UnencodableValueError, UnsupportedVersionError } from './protocol-error.ts';

// What compiled encoders call when a value cannot be written.

export function refuseNull(name: string): never {
  throw new UnencodableValueError(`${name} may not be null`);
}

export function refuseField(name: string, version: number): never {
  throw new UnsupportedVersionError(`a value is set for ${name}, which version ${version} lacks`);
}

export function refuseTag(tag: number): never {
  throw new UnencodableValueError(`${tag} is the tag of a known field`);
}
