/**
 * Who makes the objects of an application: the program (`pulumi`), or Argo CD from what `homelab render` has written (`argo-cd`). One of
 * the two owns them. The program always owns the namespace, its policies and the Secret. `hand-over` is the step between: the program
 * still makes the objects, but does not delete them when they leave it.
 */
export const DELIVERIES = ["pulumi", "hand-over", "argo-cd"] as const;
export type Delivery = (typeof DELIVERIES)[number];
