/** `1 stack`, `3 stacks`. @param plural where it is not the word with an s */
export const counted = (count: number, word: string, plural = `${word}s`): string => `${count} ${count === 1 ? word : plural}`;
