/** See real-sequencer.cjs. */
declare class RealSequencer {
  sort<T extends { readonly path: string }>(tests: readonly T[]): T[];
}
export = RealSequencer;
