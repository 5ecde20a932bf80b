/** What a real API lets the reaper of sessions delete. Its role allows any namespace; an admission policy limits it to those of sessions. */

import { request } from "undici";
import { reaperManifests, sessionManifests } from "../../components/apps/sessions/session-manifests";
import { ResourceTypes } from "../../lab/kubernetes/resource-types";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal } from "../support/real-parts";
import { SESSION } from "../support/session-options";

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

const NAMESPACE = "cks";
const types = new ResourceTypes();
const folderOf = ({ apiVersion, kind, metadata: { namespace } }: Manifest): string =>
  `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${types.byKind(apiVersion, kind)?.plural}`;

describeReal(["kube-apiserver", "etcd"], "the reaper of sessions", (pathOf) => {
  let api: RealKubernetes;
  beforeAll(async () => {
    api = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
    await make({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    for (const object of reaperManifests(NAMESPACE)) await make(object as Manifest);
  }, 600_000);
  afterAll(() => api.stop(), 60_000);

  const make = (object: Manifest) => api.call("POST", folderOf(object), object);

  /** Tries to delete a namespace as the reaper's account. */
  async function deleteAs(token: string, name: string): Promise<{ status: number; message: string }> {
    const { statusCode, body } = await request(`${api.origin}/api/v1/namespaces/${name}?dryRun=All`, {
      method: "DELETE",
      dispatcher: api.anonymous,
      headers: { authorization: `Bearer ${token}` },
    });
    const { message = "" } = (await body.json()) as { message?: string };
    return { status: statusCode, message };
  }

  test("it deletes a session's namespace, and the API refuses it any other, also one that has only the name or only the label", async () => {
    const session = sessionManifests(SESSION, { running: 0, limit: 1 })[0] as Manifest;
    const label = Object.keys(session.metadata.labels ?? {})[0] ?? "";
    await make(session);
    for (const [name, labels] of [
      ["vault", {}],
      ["session-like", {}],
      ["labelled", { [label]: "a1" }],
    ] as const)
      await make({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/session-reaper/token`;
    const { status } = (await api.call("POST", account, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} })) as {
      status: { token: string };
    };
    // The API enforces a policy a moment after it was created.
    for (const deadline = Date.now() + 30_000; (await deleteAs(status.token, "vault")).status === 200; )
      if (Date.now() > deadline) throw new Error("the policy never came into force");
      else await new Promise((resolve) => setTimeout(resolve, 200));
    const refused = { status: 422, message: expect.stringContaining("the reaper of sessions deletes namespaces of sessions alone") };
    for (const name of ["vault", "session-like", "labelled"]) expect([name, await deleteAs(status.token, name)]).toEqual([name, refused]);
    expect(await deleteAs(status.token, session.metadata.name)).toMatchObject({ status: 200 });
    // The policy does not limit other accounts.
    await api.call("DELETE", "/api/v1/namespaces/labelled?dryRun=All");
  });
});
