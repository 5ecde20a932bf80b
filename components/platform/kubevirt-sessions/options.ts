import { z } from "zod";
import { goldenImageSchema, sha256, sha512 } from "../../apps/sessions/golden-image";
import { REAPER_SCHEDULE } from "../../apps/sessions/session-manifests";
import { diskSize, sessionName } from "../../apps/sessions/session-spec";
import { httpsAddress, schedule } from "../option-types";

export const kubevirtSessionsOptions = z
  .strictObject({
    namespace: sessionName.default("session-reaper").describe("Where the reaper runs"),
    schedule: schedule(5, REAPER_SCHEDULE).default(REAPER_SCHEDULE).describe("When the reaper looks for sessions that have expired, in UTC: five fields"),
    goldenImage: goldenImageSchema
      .extend({
        base: z.strictObject({ url: httpsAddress, sha512 }),
        helm: z.strictObject({ url: httpsAddress, sha256 }),
        namespace: sessionName.default("vm-templates"),
        storageClass: sessionName.optional(),
        diskSize: diskSize.default("10Gi"),
      })
      .describe(
        "What sessions are cloned from: `kubernetesVersion`, which also names it; `base`, the `url` and `sha512` of a cloud image of Debian; `helm`, the `url` and `sha256` of its archive; the `namespace` (left out: `vm-templates`), `storageClass` (left out: the cluster's own) and `diskSize` (left out: `10Gi`) of its disks",
      ),
  })
  .refine(({ namespace, goldenImage }) => namespace !== goldenImage.namespace, {
    path: ["namespace"],
    error: "must not be the namespace of the golden image, where machines may do more than the reaper needs",
  });

export type KubevirtSessionsOptions = z.output<typeof kubevirtSessionsOptions>;
