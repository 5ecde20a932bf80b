/** `npm run pipelines`: writes the pipelines of both hosts. `-- --check`: says which file is not as the description has it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../common/paths";
import { renderAll } from "./files";

const WORKFLOWS = ".github/workflows";

/** Files that differ, and workflows that are no longer described. */
function differences(root: string): string[] {
  const wanted = renderAll();
  const read = (file: string): string | undefined => (fs.existsSync(path.join(root, file)) ? fs.readFileSync(path.join(root, file), "utf8") : undefined);
  const found = fs.existsSync(path.join(root, WORKFLOWS)) ? fs.readdirSync(path.join(root, WORKFLOWS)).map((name) => `${WORKFLOWS}/${name}`) : [];
  return [...Object.keys(wanted).filter((file) => read(file) !== wanted[file]), ...found.filter((file) => !(file in wanted))];
}

function write(root: string): void {
  const wanted = renderAll();
  for (const file of differences(root)) {
    const target = path.join(root, file);
    const text = wanted[file];
    if (text === undefined) fs.rmSync(target);
    else {
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.writeFileSync(target, text);
    }
    process.stdout.write(`${text === undefined ? "removed" : "written"} ${file}\n`);
  }
}

function main(args: readonly string[]): number {
  if (args.length === 0) {
    write(projectRoot());
    return 0;
  }
  if (args.length !== 1 || args[0] !== "--check") {
    process.stderr.write("usage: npm run pipelines [-- --check]\n");
    return 2;
  }
  const wrong = differences(projectRoot());
  for (const file of wrong) process.stderr.write(`error: ${file} is not what pipelines/ describes\n  next: npm run pipelines, and commit what it writes\n`);
  return wrong.length === 0 ? 0 : 1;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
