/**
 * Actions by name: the version, its commit as the action's repository has it (all are on its default branch), and the inputs that its
 * `action.yml` declares there. Raise all three together.
 */
export interface PinnedAction {
  readonly version: string;
  readonly commit: string;
  readonly inputs: readonly string[];
}

export const ACTIONS: Readonly<Record<string, PinnedAction>> = {
  "actions/checkout": {
    version: "v7.0.1",
    commit: "3d3c42e5aac5ba805825da76410c181273ba90b1",
    inputs: ["repository", "ref", "token", "persist-credentials", "path", "clean", "filter", "sparse-checkout", "fetch-depth", "fetch-tags", "submodules"],
  },
  "actions/setup-node": {
    version: "v7.0.0",
    commit: "820762786026740c76f36085b0efc47a31fe5020",
    inputs: ["node-version", "node-version-file", "cache", "package-manager-cache", "cache-dependency-path"],
  },
  "actions/setup-go": {
    version: "v7.0.0",
    commit: "b7ad1dad31e06c5925ef5d2fc7ad053ef454303e",
    inputs: ["go-version", "go-version-file", "check-latest", "cache", "cache-dependency-path"],
  },
  "actions/cache/restore": {
    version: "v5.0.5",
    commit: "27d5ce7f107fe9357f9df03efb73ab90386fccae",
    inputs: ["path", "key", "restore-keys", "fail-on-cache-miss", "lookup-only"],
  },
  "actions/cache/save": { version: "v5.0.5", commit: "27d5ce7f107fe9357f9df03efb73ab90386fccae", inputs: ["path", "key"] },
  "actions/upload-artifact": {
    version: "v7.0.0",
    commit: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    inputs: ["name", "path", "if-no-files-found", "retention-days", "compression-level", "overwrite", "include-hidden-files"],
  },
  "actions/download-artifact": {
    version: "v8.0.1",
    commit: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
    inputs: ["name", "path", "pattern", "merge-multiple", "github-token", "repository", "run-id"],
  },
  "actions/attest-build-provenance": {
    version: "v4.1.0",
    commit: "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32",
    inputs: ["subject-path", "subject-digest", "subject-name", "subject-checksums", "push-to-registry", "show-summary", "github-token"],
  },
  "aquasecurity/trivy-action": {
    version: "v0.36.0",
    commit: "ed142fd0673e97e23eac54620cfb913e5ce36c25",
    inputs: ["scan-type", "image-ref", "scan-ref", "exit-code", "ignore-unfixed", "severity", "format", "output", "skip-dirs", "limit-severities-for-sarif"],
  },
  "github/codeql-action/upload-sarif": {
    version: "v4.36.2",
    commit: "8aad20d150bbac5944a9f9d289da16a4b0d87c1e",
    inputs: ["sarif_file", "checkout_path", "ref", "sha", "category", "wait-for-processing"],
  },
  "trufflesecurity/trufflehog": {
    version: "v3.97.0",
    commit: "bcfcf73aaf4759d4dadc2783177c245a02792318",
    inputs: ["path", "base", "head", "extra_args", "version", "image"],
  },
  "docker/setup-buildx-action": { version: "v4.3.0", commit: "37fe631027851001ddb9b187196cc803df7f5f0e", inputs: ["driver", "cache-binary", "cleanup"] },
  "docker/login-action": { version: "v4.1.0", commit: "4907a6ddec9925e35a0a9e82d7399ccc52663121", inputs: ["registry", "username", "password", "logout"] },
  "docker/build-push-action": {
    version: "v7.3.0",
    commit: "53b7df96c91f9c12dcc8a07bcb9ccacbed38856a",
    inputs: ["context", "file", "push", "load", "tags", "labels", "cache-from", "cache-to", "provenance", "sbom", "platforms", "build-args"],
  },
  "golangci/golangci-lint-action": {
    version: "v9.3.0",
    commit: "ba0d7d2ec06a0ea1cb5fa41b2e4a3ab91d21278a",
    inputs: ["version", "working-directory", "args", "only-new-issues", "skip-cache"],
  },
  "cypress-io/github-action": {
    version: "v7.4.3",
    commit: "09090944bd8aaa2a517cefb6e38bf1aae336b42b",
    inputs: ["start", "wait-on", "wait-on-timeout", "working-directory", "spec", "install-command", "package-manager-cache", "publish-summary"],
  },
};

/** `name@commit`. @throws for an action that is not in the list */
export function pinned(name: string): string {
  const action = ACTIONS[name];
  if (action === undefined) throw new Error(`no pin for the action ${name}: add it to pipelines/actions.ts`);
  return `${name}@${action.commit}`;
}
