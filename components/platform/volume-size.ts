import { z } from "zod";

/** Size of a volume as Kubernetes writes it. */
export const volumeSize = z.string().regex(/^[1-9]\d*(Mi|Gi|Ti)$/, "must be a size such as 10Gi");
