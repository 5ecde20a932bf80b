/** Interrupts each role, except the one of all-in-lab.test.ts, in each of its operations, and fills the disk at each of its writes. */
import { INTERRUPTED_IN_QUICK, ROLE_CASES } from "../support/role-cases";
import { interruptions } from "./interrupted-suite";

interruptions(Object.keys(ROLE_CASES).filter((name) => name !== INTERRUPTED_IN_QUICK));
