/**
 * Tests that need what not every machine has. Where it is missing they are skipped by name: the closing lines of a run count them by the
 * reason between the brackets (totals.cjs). Nothing else skips a test (tests/skips.test.ts).
 */
type Table = Parameters<jest.Each>;

const skippedTitle = (title: string, why: string): string => `${title} [skipped: ${why}]`;

/** `test` where this machine `can` run it. `why` says what is missing, and how to get it where one can. */
export function testWhere(can: boolean, why: string): jest.It {
  if (can) return test;
  const skip = (title: string, body?: jest.ProvidesCallback, limit?: number) => test.skip(skippedTitle(title, why), body, limit);
  const each =
    (...table: Table) =>
    (title: string, body: (...row: never[]) => unknown, limit?: number) =>
      test.skip.each(...table)(skippedTitle(title, why), body as jest.ProvidesCallback, limit);
  return Object.assign(skip, { each }) as jest.It;
}

/** `describe` where this machine `can` run the group. */
export function describeWhere(can: boolean, why: string): (title: string, suite: () => void) => void {
  return can ? describe : (title, suite) => describe.skip(skippedTitle(title, why), suite);
}

/** A test that runs only if somebody asks for it, as a line that says how. `title` says what it would show. */
export const skippedByName = (title: string, why: string): void => test.skip(skippedTitle(title, why), () => undefined);
