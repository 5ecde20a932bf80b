/** `import`: takes resources that exist into the stack, and says what the program needs for them. */
import * as fs from "node:fs";
import { systemErrorCode } from "../../common/errors";
import { CliError, EXIT_CODE } from "../errors";
import type { ResourceState } from "../snapshot/types";
import type { Flags } from "./flags";
import { importedCode } from "./import-code";
import { planImports } from "./import-spec";
import { runOperation } from "./operations";
import { cachingCodec, loadSnapshot, openStack } from "./stack-context";
import { print } from "./terminal";

function write(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch (cause) {
    throw new CliError(`the resources are imported, but their code cannot be written to ${file}: ${systemErrorCode(cause) ?? "it failed"}`, 1, { cause });
  }
}

export async function importResources(flags: Flags): Promise<number> {
  const ctx = await openStack(flags);
  const held = async (): Promise<ResourceState[]> => loadSnapshot(await ctx.backend.load(ctx.project.name, ctx.stack)).resources;
  const { imports, urns } = planImports(flags, { project: ctx.project.name, stack: ctx.stack }, { resources: await held(), pendingOperations: [] }, () =>
    cachingCodec(ctx.settings.secrets()),
  );
  const code = await runOperation("import", flags, { imports, urns });
  if (code !== EXIT_CODE.ok || flags.has("preview-only") || flags.json || !flags.has("generate-code")) return code;
  const imported = new Set(urns);
  const text = importedCode(
    (await held()).filter((r) => imported.has(r.urn)),
    ctx.project.programDir,
  );
  const out = flags.text("out");
  if (out !== undefined) write(out, text);
  else {
    print(
      "Please copy the following code into your Pulumi application. Not doing so\nwill cause Pulumi to report that an update will happen on the next update command.\n",
    );
    if (flags.has("protect"))
      print(
        "Please note that the imported resources are marked as protected. To destroy them\nyou will need to remove the `protect` option and run `pulumi update` *before*\nthe destroy will take effect.\n",
      );
    print(text);
  }
  return code;
}
