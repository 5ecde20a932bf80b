/** Names that only one application, port or hook of a stack may have. Plain data; loads no Pulumi SDK. */
import { HomelabError } from "../../common/errors";
import { type OwnedName, sameName } from "../../common/same-names";
import { stackPlace } from "../load/source-lines";
import type { LoadedStack } from "../load/stacks";

type Apps = Pick<LoadedStack, "apps">;

const outputNames = ({ apps }: Apps): OwnedName[] =>
  Object.entries(apps).flatMap(([owner, { outputs }]) => Object.keys(outputs ?? {}).map((output) => ({ name: `output ${output}`, owner })));

const portNames = ({ apps }: Apps): OwnedName[] =>
  Object.entries(apps).flatMap(([owner, { ports }]) =>
    ports.flatMap(({ name, url }) => [{ name: `port ${name} of ${owner}`, owner }, ...(url === undefined ? [] : [{ name: `URL ${url}`, owner }])]),
  );

/** Names of resources that are joined of the application's name and a name that it gives: those of hooks' Jobs and of routes. */
const joinedNames = ({ apps }: Apps): OwnedName[] =>
  Object.entries(apps).flatMap(([app, { hooks = {}, ports }]) => [
    ...Object.keys(hooks).map((hook) => ({ name: `Job ${app}-${hook}`, owner: `the hook ${hook} of ${app}` })),
    ...ports.flatMap(({ name, host }) => (host === undefined ? [] : [{ name: `route ${app}-${name}`, owner: `the port ${name} of ${app}` }])),
  ]);

/** @throws HomelabError E_APP for a name that two have, or a URL or an output of a port that has no host name */
export function checkAppNames(stack: LoadedStack, root: string): void {
  const refuse = (what: string, hint: string): never => {
    throw new HomelabError("E_APP", `${stackPlace(root, stack.name, "apps")}${stack.name}: ${what}`, { subject: stack.name, hint });
  };
  const same = sameName([...portNames(stack), ...outputNames(stack), ...joinedNames(stack)]);
  if (same !== undefined) refuse(`${same.owners[1]} and ${same.owners[0]} both have the ${same.name}`, "rename one of them");
  for (const [app, { ports, outputs }] of Object.entries(stack.apps)) {
    for (const { name, host, url } of ports)
      if (url !== undefined && host === undefined) refuse(`the port ${name} of ${app} has a URL and no host`, "give it a host");
    for (const [output, source] of Object.entries(outputs ?? {})) {
      const port = ports.find(({ name }) => name === source.url);
      if (port?.host === undefined || port.withoutIngress === "skip")
        refuse(`the output ${output} is the URL of the port ${source.url}, which ${app} does not always have`, "name a port with a host");
    }
  }
}
