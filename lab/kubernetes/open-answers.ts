/** Answers that go on for as long as their clients listen; a server that stops ends them. */
export class OpenAnswers {
  readonly #ends = new Set<() => void>();

  /** @param end ends the answer @returns to be called once it has ended */
  add(end: () => void): () => void {
    this.#ends.add(end);
    return () => {
      this.#ends.delete(end);
    };
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}
