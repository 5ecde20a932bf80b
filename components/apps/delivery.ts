/**
 * Who makes the objects of an application: the program (`pulumi`), or Argo CD from what `homelab render` has written (`argo-cd`). One of
 * the two owns them; its namespace, the rules that hold in it and its Secret are the program's in either case. `hand-over` comes
 * between: the program still makes them, and deletes none that it no longer makes.
 */
export const DELIVERIES = ["pulumi", "hand-over", "argo-cd"] as const;
export type Delivery = (typeof DELIVERIES)[number];
