import { HomelabError } from "../../common/errors";

/** The resource's own limit (customTimeouts) is over: what a call's signal aborts with. */
export class OperationTimeout extends HomelabError {
  constructor(readonly seconds: number) {
    super("E_TIMEOUT", `it was not finished after ${seconds} s`, { hint: "see why it takes so long, or raise customTimeouts of the resource" });
  }
}
