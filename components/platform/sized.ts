/** Resources of a container, as charts take them: what it asks for, and at how much memory it ends. Processor time is shared, not cut. */
export const sized = (cpu: string, memory: string, memoryLimit: string) => ({ requests: { cpu, memory }, limits: { memory: memoryLimit } });
