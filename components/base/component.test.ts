import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Provider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { mockEngine, only, settle } from "../../tests/support/pulumi-mocks";
import { Component, livesIn } from "./component";

class Box extends Component {
  readonly inner: ConfigMap;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions, own?: pulumi.CustomResourceOptions) {
    super("base:Box", name, opts);
    this.inner = new ConfigMap(`${name}-inner`, {}, this.child(own));
    this.registerOutputs({});
  }
}

const MAP = "kubernetes:core/v1:ConfigMap";
const lastOf = (urns: readonly string[]): string[] => urns.map((urn) => urn.split("::").at(-1) ?? "").toSorted();

test("a child waits for what its component waits for, one or several, and for its own", async () => {
  const registered = await mockEngine();
  const [first, second, third] = ["first", "second", "third"].map((name) => new ConfigMap(name));
  if (first === undefined || second === undefined || third === undefined) throw new Error("three were made");
  new Box("alone");
  new Box("one", { dependsOn: first });
  new Box("several", { dependsOn: [first, second] }, { dependsOn: third });
  await settle(registered);
  const waits = (name: string) => lastOf(only(registered, MAP, name).dependencies);
  expect([waits("alone-inner"), waits("one-inner"), waits("several-inner")]).toEqual([[], ["first"], ["first", "second", "third"]]);
});

test("what a provider makes goes with the home that it lives in", async () => {
  const registered = await mockEngine();
  const home = new ConfigMap("home");
  const provider = new Provider("cluster", { kubeconfig: "{}" });
  livesIn(provider, home);
  new Box("inside", { providers: { kubernetes: provider } });
  new Box("outside");
  await settle(registered);
  const goesWith = (name: string) => only(registered, MAP, name).deletedWith.split("::").at(-1);
  expect([goesWith("inside-inner"), goesWith("outside-inner")]).toEqual(["home", ""]);
});
