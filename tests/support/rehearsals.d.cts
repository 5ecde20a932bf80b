export declare const REHEARSALS: readonly string[];
export declare function filesOf(part: string | undefined): { testMatch: string[] };
