import * as pulumi from "@pulumi/pulumi";
import { clusterCommand } from "./cluster-command";
import { after, Component } from "./component";
import type { PinnedFile } from "./manifest-files";

const SHA256 = /^[0-9a-f]{64}$/;

export interface PinnedManifestArgs {
  /** In the order in which they are applied, definitions of all of them first. Their namespaces are left out. */
  readonly files: readonly PinnedFile[];
  /** Its objects are made after this is known: the namespace that they are in. */
  readonly namespace?: pulumi.Input<string>;
  /** true: the objects stay when the component is deleted. For definitions whose own objects are data. Default false. */
  readonly keep?: boolean;
  /** Until definitions are established and Deployments available, and until all is gone. Default 10. */
  readonly timeoutMinutes?: number;
}

/** @throws pulumi.InputPropertyError for a file without a digest, and one that is not taken by https */
function validatePinnedManifest({ files }: PinnedManifestArgs): void {
  for (const { url, sha256 } of files) {
    if (!url.startsWith("https://")) throw new pulumi.InputPropertyError({ propertyPath: "files", reason: `"${url}" is no https URL` });
    if (!SHA256.test(sha256)) throw new pulumi.InputPropertyError({ propertyPath: "files", reason: `"${sha256}" of ${url} is no SHA-256` });
  }
  if (files.length === 0) throw new pulumi.InputPropertyError({ propertyPath: "files", reason: "there is none" });
}

/**
 * Manifests that somebody publishes as files, for software without a chart. Each file is downloaded when it is applied, and refused if
 * its digest is not the pinned one. Another digest or another list of files is an update: it applies the new files, and deletes objects
 * that are no longer in them.
 */
export class PinnedManifest extends Component {
  /** Known once all of it exists. */
  readonly applied: pulumi.Output<readonly string[]>;

  constructor(name: string, args: PinnedManifestArgs, opts?: pulumi.ComponentResourceOptions) {
    validatePinnedManifest(args);
    super("base:PinnedManifest", name, opts);
    const files = args.files.map(({ url, sha256 }) => ({ url, sha256 }));
    const task = pulumi.output(args.namespace).apply(() => ({ do: "manifest" as const, files }));
    const provider = this.getProvider("kubernetes:core/v1:Namespace");
    const command = clusterCommand(`${name}-manifest`, provider, task, (args.timeoutMinutes ?? 10) * 60, this.child(), { removes: args.keep !== true });
    this.applied = after(
      command,
      files.map(({ url }) => url),
    );
    this.registerOutputs({ applied: this.applied });
  }
}
