/** Encryption at rest as a dependency. `place` names where the bytes live, so that swapped rows fail to open. */
export interface Cipher {
  seal(place: string, plain: Uint8Array): Uint8Array;
  /** Throws when the bytes were changed, moved to another place, or sealed by another key. */
  open(place: string, sealed: Uint8Array): Uint8Array;
}
