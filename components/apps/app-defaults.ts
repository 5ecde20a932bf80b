/** Requests and limits of an application that sets none. Loads no Pulumi SDK. */
export const DEFAULT_RESOURCES = { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" } as const;
