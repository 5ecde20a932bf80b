/** Routes of Istio as typed arguments, and the VirtualService made from them. Plain data. */
import type * as pulumi from "@pulumi/pulumi";

export const ISTIO_NETWORKING_API = "networking.istio.io/v1";
export const ISTIO_SECURITY_API = "security.istio.io/v1";

/** How a text is compared. */
export type TextMatch = { readonly exact: string } | { readonly prefix: string } | { readonly regex: string };

/** All that is given must hold. */
export interface RouteMatch {
  readonly uri?: TextMatch;
  readonly method?: TextMatch;
  /** By name, in lower case. */
  readonly headers?: Readonly<Record<string, TextMatch>>;
  readonly queryParams?: Readonly<Record<string, TextMatch>>;
}

export interface RouteTarget {
  /** Service: its name, or its full one in another namespace. */
  readonly service: pulumi.Input<string>;
  readonly port: number;
  /** In percent. Required for each target where there is more than one. */
  readonly weight?: number;
}

export interface HeaderChanges {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface Cors {
  readonly allowOrigins: readonly TextMatch[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  /** Such as `24h`. */
  readonly maxAge?: string;
  readonly allowCredentials?: boolean;
}

/** A fault that is injected on purpose, for a percentage of the requests. */
export interface Fault {
  readonly delay?: { readonly percent: number; readonly time: string };
  readonly abort?: { readonly percent: number; readonly status: number };
}

/** What is done with requests that match one of `match`; all requests where there is none. */
export interface IstioRoute {
  readonly name?: string;
  readonly match?: readonly RouteMatch[];
  /** Where they go. Either this or `redirect`. */
  readonly to?: readonly RouteTarget[];
  readonly redirect?: { readonly uri?: string; readonly authority?: string; readonly code?: 301 | 302 | 303 | 307 | 308 };
  readonly rewrite?: { readonly uri?: string; readonly authority?: string };
  /** Such as `30s`. */
  readonly timeout?: string;
  readonly retries?: { readonly attempts: number; readonly perTryTimeout?: string; readonly on?: string };
  readonly cors?: Cors;
  readonly headers?: { readonly request?: HeaderChanges; readonly response?: HeaderChanges };
  readonly fault?: Fault;
  /** Gets a copy of `percent` of the requests (default 100). Its answers are discarded. */
  readonly mirror?: { readonly service: pulumi.Input<string>; readonly port: number; readonly percent?: number };
}

/** Retries where an answer did not come, or was an error of the server. */
const RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,5xx,reset";

const targetOf = ({ service, port }: Omit<RouteTarget, "weight">) => ({ host: service, port: { number: port } });
/** Without the keys that are undefined. */
const given = <T extends object>(value: T): Partial<T> => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Partial<T>;

const faultOf = ({ delay, abort }: Fault) =>
  given({
    delay: delay === undefined ? undefined : { percentage: { value: delay.percent }, fixedDelay: delay.time },
    abort: abort === undefined ? undefined : { percentage: { value: abort.percent }, httpStatus: abort.status },
  });

const redirectOf = ({ uri, authority, code }: NonNullable<IstioRoute["redirect"]>) => given({ uri, authority, redirectCode: code });

function httpRoute(route: IstioRoute): object {
  const { name, match, to, redirect, rewrite, timeout, retries, cors, headers, fault, mirror } = route;
  return given({
    name,
    match,
    route: to?.map(({ weight, ...target }) => ({ destination: targetOf(target), ...(weight === undefined ? {} : { weight }) })),
    redirect: redirect === undefined ? undefined : redirectOf(redirect),
    rewrite,
    timeout,
    retries: retries === undefined ? undefined : given({ attempts: retries.attempts, perTryTimeout: retries.perTryTimeout, retryOn: retries.on ?? RETRY_ON }),
    corsPolicy: cors,
    headers,
    fault: fault === undefined ? undefined : faultOf(fault),
    mirror: mirror === undefined ? undefined : targetOf(mirror),
    mirrorPercentage: mirror === undefined ? undefined : { value: mirror.percent ?? 100 },
  });
}

/** What is wrong with a route, in one sentence; undefined where nothing is. */
function complaint({ to, redirect, rewrite, mirror, retries }: IstioRoute): string | undefined {
  if ((to === undefined) === (redirect === undefined)) return "it needs either `to` or `redirect`";
  if (redirect !== undefined) {
    const others = Object.entries({ rewrite, mirror, retries }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    return others.length === 0 ? undefined : `with \`redirect\` it can have no ${others.join(", ")}`;
  }
  const weights = (to ?? []).map(({ weight }) => weight);
  if (weights.length === 0) return "`to` is empty";
  if (weights.length === 1 && weights[0] === undefined) return undefined;
  const sum = weights.reduce<number>((all, weight) => all + (weight ?? Number.NaN), 0);
  return sum === 100 ? undefined : "the weights of `to` must be given, and be 100 together";
}

/** What is wrong with routes, each by its place; a route after one that takes everything is never reached. */
export function routeComplaints(routes: readonly IstioRoute[]): string[] {
  const whole = routes.findIndex(({ match }) => match === undefined || match.length === 0);
  return [
    ...(routes.length === 0 ? ["there is no route"] : []),
    ...routes.flatMap((route, index) => {
      const own = complaint(route);
      return own === undefined ? [] : [`route ${index + 1}: ${own}`];
    }),
    ...(whole >= 0 && whole < routes.length - 1 ? [`route ${whole + 1} takes every request: those after it are never reached`] : []),
  ];
}

/** @template V a value that may be known only while the stack is built */
export interface VirtualService<V> {
  /** Of the object. */
  readonly name: string;
  readonly namespace: V;
  readonly hosts: readonly string[];
  /** `<namespace>/<name>` of gateways, or `mesh` for what is inside the mesh. */
  readonly gateways: readonly (V | string)[];
  /** One service for all requests, or each route in full; the first that matches counts. */
  readonly routes: { readonly service: V | string; readonly port: number } | readonly IstioRoute[];
}

const isFull = (routes: VirtualService<unknown>["routes"]): routes is readonly IstioRoute[] => Array.isArray(routes);
/** All of its routes in full. */
export const routesOf = ({ routes }: Pick<VirtualService<pulumi.Input<string>>, "routes">): readonly IstioRoute[] =>
  isFull(routes) ? routes : [{ to: [routes] }];

/** A VirtualService as a manifest. */
export const virtualServiceOf = <V>({ name, namespace, hosts, gateways, routes }: VirtualService<V>) => ({
  apiVersion: ISTIO_NETWORKING_API,
  kind: "VirtualService" as const,
  metadata: { name, namespace },
  spec: { hosts: [...hosts], gateways: [...gateways], http: routesOf({ routes } as VirtualService<pulumi.Input<string>>).map(httpRoute) },
});
