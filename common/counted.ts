/** `1 stack`, `3 stacks`. @param plural where it is not the word with an s */
export const counted = (count: number, word: string, plural = `${word}s`): string => `${count} ${count === 1 ? word : plural}`;

/** `1 of 1 stack`, `1 of 3 stacks`: the word goes by the whole. */
export const countedOf = (part: number, all: number, word: string, plural = `${word}s`): string => `${part} of ${counted(all, word, plural)}`;
