import type { Operation } from "../role";

/** For what no other operation covers. `check` and `apply` are shell text: values in them must go through `quote`. */
export function command(name: string, check: string, apply: string): Operation {
  return { name, check: [check], apply: [apply] };
}

/** Waits until a condition holds. @param seconds number of tries, one a second */
export function waitUntil(name: string, condition: string, seconds: number): Operation {
  return {
    name,
    check: [condition],
    apply: [
      `{ hl_try=0
  until { ${condition}; } do
    hl_try=$((hl_try + 1))
    [ "$hl_try" -lt ${seconds} ] || { printf 'gave up after %s seconds\\n' ${seconds} >&2; return 1; }
    sleep 1
  done; }`,
    ],
  };
}
