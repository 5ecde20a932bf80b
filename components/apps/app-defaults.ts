/** What an application gets that names none. Loads no Pulumi SDK. */
export const DEFAULT_RESOURCES = { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" } as const;
