import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Credentials } from "../../base/credentials";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import type { GitlabRunnerOptions } from "./options";
import { GITLAB_RUNNER_CHART, GITLAB_RUNNER_NAMESPACE, gitlabRunnerValues, JOBS_NAMESPACE, TOKEN_SECRET } from "./values";

export interface GitlabRunnerArgs extends Omit<GitlabRunnerOptions, "token"> {
  namespace: NamespaceArgs;
  jobs: NamespaceArgs;
  /** Secret. */
  token: pulumi.Input<string>;
}

/** A runner of GitLab, and the namespace of its jobs. */
export class GitlabRunner extends Component {
  constructor(name: string, { namespace: own, jobs: ofJobs, token, ...options }: GitlabRunnerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:GitlabRunner", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, own, this.child());
    const jobs = new Namespace(`${name}-jobs-ns`, ofJobs, this.child());
    // The chart mounts both keys. The second one is for registration tokens, which are obsolete.
    const values = { "runner-token": token, "runner-registration-token": "" };
    const credentials = new Credentials(`${name}-token`, { name: TOKEN_SECRET, namespace, values }, this.child());
    new HelmRelease(
      name,
      {
        releaseName: "gitlab-runner",
        namespace,
        chart: GITLAB_RUNNER_CHART,
        values: gitlabRunnerValues(options, credentialMark(TOKEN_SECRET, [token])),
      },
      this.child({ dependsOn: [credentials, jobs] }),
    );
    this.registerOutputs({});
  }
}

export const buildGitlabRunner: BuildModule<GitlabRunnerOptions> = (name, { options: { token, ...options }, context }, opts) => ({
  component: new GitlabRunner(
    name,
    {
      ...options,
      namespace: context.namespace(GITLAB_RUNNER_NAMESPACE),
      jobs: context.namespace(JOBS_NAMESPACE),
      token: context.programSecrets.get(token.path, token.key),
    },
    opts,
  ),
});
