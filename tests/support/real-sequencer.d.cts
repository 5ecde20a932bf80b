/** See real-sequencer.cjs. */
declare class RealSequencer {
  sort<T extends { readonly path: string }>(tests: readonly T[]): T[];
  /** Whether a file that begins now ends in time (seconds since 1970), also where it takes half as much again. */
  static endsBy(file: string, now: number, until: number): boolean;
}
export = RealSequencer;
