/** Requests and memory limit of a container, as charts take them. There is no CPU limit, so that idle processors can be used. */
export const sized = (cpu: string, memory: string, memoryLimit: string) => ({ requests: { cpu, memory }, limits: { memory: memoryLimit } });
