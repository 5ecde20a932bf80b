/** Each role but the one of all-in-lab.test.ts, cut in each of its operations, and with a disk that is full at each of its writes. */
import { INTERRUPTED_IN_QUICK, ROLE_CASES } from "../support/role-cases";
import { interruptions } from "./interrupted-suite";

interruptions(Object.keys(ROLE_CASES).filter((name) => name !== INTERRUPTED_IN_QUICK));
