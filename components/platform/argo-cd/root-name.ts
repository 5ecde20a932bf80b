/** Name of an environment's root: `applications` of the one that Argo CD runs in. Apart, since plans of all stacks read it and only some have an Argo CD. */
export const rootName = (environment: string, home: string): string => (environment === home ? "applications" : `applications-${environment}`);
