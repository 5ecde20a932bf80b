/** Checks that a real kube-apiserver still gives the recorded answers, which the lab is compared with. */
import { type RealKubernetes, startRealKubernetes } from "../../support/real-kubernetes";
import { describeReal } from "../../support/real-parts";
import { answer, normalise, SEQUENCES, sequence } from "./sequence";

/** Fields that describe the build. The recording was made with another build of the same source. */
const BUILD = ["gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion"];
const COMPARED = { dropManagers: false };

interface Causes {
  message?: string;
  details?: { causes?: { field: string }[] };
}

/** Replaces what belongs to one server or build by a fixed word, and sorts what has no fixed order. */
function withoutChance(value: unknown): unknown {
  const text = JSON.stringify(value, (key, item: unknown) => {
    if (BUILD.includes(key)) return "<build>";
    if (key === "serverAddress") return "<address>";
    // The recording has no descriptions of columns.
    if (key === "columnDefinitions") return (item as object[]).map((column) => ({ ...column, description: undefined }));
    const causes = (item as Causes | null)?.details?.causes;
    // The server iterates over a map, so several causes come in any order, in the message too.
    if (causes === undefined || causes.length < 2) return item;
    const sorted = causes.toSorted((a, b) => a.field.localeCompare(b.field));
    return {
      ...(item as Causes),
      message: (item as Causes).message?.replace(/: \[.*\]$/, ": [<causes>]"),
      details: { ...(item as Causes).details, causes: sorted },
    };
  });
  return JSON.parse(text) as unknown;
}
const comparable = (value: unknown) => withoutChance(normalise(value, COMPARED));

describeReal(["kube-apiserver", "etcd"], "real kube-apiserver", (pathOf) => {
  let server: RealKubernetes;
  beforeAll(async () => {
    server = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
  });
  afterAll(() => server.stop());

  test.each(SEQUENCES)("answers the sequence %s as recorded", async (name) => {
    for (const [index, step] of sequence(name).entries()) {
      if ("waitMs" in step) {
        await new Promise((resolve) => setTimeout(resolve, step.waitMs));
        continue;
      }
      const { contentType, status, body } = await answer(server, step);
      expect({ index, status, contentType, body: comparable(body) }).toEqual({
        index,
        status: step.response.status,
        contentType: step.response.contentType,
        body: comparable(step.response.body),
      });
    }
  });
});
