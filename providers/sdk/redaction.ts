/** Keeps the secrets of a call out of the errors and log lines that it causes. */
import { createRedactor, type Redactor } from "../../common/redact";
import { isValues, Secret, type Value } from "./values";

function collect(value: Value, secret: boolean, into: Redactor): void {
  if (value instanceof Secret) collect(value.value, true, into);
  else if (Array.isArray(value)) for (const item of value) collect(item, secret, into);
  else if (isValues(value)) for (const item of Object.values(value)) collect(item, secret, into);
  else if (secret && typeof value === "string") into.register(value);
}

/** @returns a function that hides every string marked as secret in the values; nothing is gathered before it is first used */
export function redactionOf(...values: readonly Value[]): (text: string) => string {
  let redactor: Redactor | undefined;
  return (text) => {
    if (redactor === undefined) {
      redactor = createRedactor();
      for (const value of values) collect(value, false, redactor);
    }
    return redactor.redact(text);
  };
}
