/** What each real part is and where: see tests/support/real-parts.ts. */
export declare function inventory(): unknown;
