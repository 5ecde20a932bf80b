import { RunError } from "@pulumi/pulumi";
import { describeError, HomelabError } from "../../common/errors";

/** A function for `apply` whose known failures end the program with their message alone, without a stack trace. */
export function known<A, R>(compute: (value: A) => R): (value: A) => R {
  return (value) => {
    try {
      return compute(value);
    } catch (thrown) {
      throw thrown instanceof HomelabError ? new RunError(`${thrown.code}: ${describeError(thrown)}`) : thrown;
    }
  };
}
