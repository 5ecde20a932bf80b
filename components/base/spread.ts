/** Spreads replicas over the nodes; all run on one node where there is no other. Pure. @param labels of the pods */
export const spreadOf = (labels: Readonly<Record<string, string>>) => [
  { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: labels } },
];
