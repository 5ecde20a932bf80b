import { goOnWithoutReader } from "./cli/closed-reader";
import { exitCodeOf } from "./cli/exit-code";

goOnWithoutReader();
void exitCodeOf(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
