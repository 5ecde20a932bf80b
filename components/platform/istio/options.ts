import { z } from "zod";

export const istioOptions = z.strictObject({
  gateways: z.int().min(1).max(5).default(1).describe("Pods that serve routes; from two on one takes the other's place"),
  accessLog: z.boolean().default(true).describe("Whether proxies log each request, as JSON"),
});

export type IstioOptions = z.output<typeof istioOptions>;
