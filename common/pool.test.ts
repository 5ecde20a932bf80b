import { inPool } from "./pool";

test("results come in the items' order, and no more than so many are at work", async () => {
  const [ended, atWork]: [(() => void)[], number[]] = [[], []];
  const work = (item: number) =>
    new Promise<string>((resolve) => {
      atWork.push(item);
      ended.push(() => resolve(`${item}`));
    });
  const all = inPool([3, 1, 2], 2, work);
  expect(atWork).toEqual([3, 1]);
  ended[1]?.();
  await new Promise(setImmediate);
  expect(atWork).toEqual([3, 1, 2]);
  ended[2]?.();
  ended[0]?.();
  expect(await all).toEqual(["3", "1", "2"]);
  expect(await inPool([], 2, work)).toEqual([]);
});

test("after a failure nothing more is begun", async () => {
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    throw new Error(`item ${item}`);
  };
  await expect(inPool([1, 2, 3], 1, work)).rejects.toThrow("item 1");
  expect(begun).toEqual([1]);
});
