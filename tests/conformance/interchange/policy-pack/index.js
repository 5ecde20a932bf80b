// Policies over the resources of tests/conformance/engine/program. Keys of a message are sorted: their order is each engine's own.
const { PolicyPack } = require("@pulumi/policy");

const RES = "exp:index:Res";
const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
};

new PolicyPack("compared", {
  enforcementLevel: "mandatory",
  policies: [
    {
      name: "name-is-allowed",
      description: "Some names are forbidden.",
      severity: "critical",
      validateResource: ({ type, props }, report) => {
        if (type === RES && props.name === "forbidden") report("choose another one");
      },
    },
    {
      name: "size-is-even",
      description: "Sizes are even.",
      enforcementLevel: "remediate",
      remediateResource: ({ type, props }) => {
        if (type !== RES || props.size % 2 === 0) return undefined;
        props.size += 1;
        return props;
      },
    },
    {
      name: "size-is-small",
      description: "Small things are better.",
      enforcementLevel: "advisory",
      severity: "low",
      validateResource: ({ type, props }, report) => {
        if (type === RES && props.size > 10) report(`size ${props.size}`);
      },
    },
    {
      name: "value-is-known",
      description: "Looks at what a preview does not know.",
      enforcementLevel: "advisory",
      validateResource: ({ type, props }, report) => {
        if (type === RES && props.v !== undefined && props.v.length > 1000) report();
      },
    },
    {
      name: "tells-all",
      description: "Tells what it was given.",
      enforcementLevel: "disabled",
      validateResource: ({ urn, type, name, props, opts, provider }, report) => {
        const known = Object.keys(props).filter((key) => key !== "v" && key !== "pw");
        const shown = Object.fromEntries(known.map((key) => [key, props[key]]));
        report(
          JSON.stringify(
            sorted({
              urn,
              type,
              name,
              keys: Object.keys(props).sort(),
              props: shown,
              opts,
              provider: provider && { type: provider.type, name: provider.name },
            }),
          ),
        );
      },
    },
    {
      name: "few-resources",
      description: "A stack has few resources.",
      configSchema: { properties: { most: { type: "integer", default: 10 } } },
      validateStack: ({ resources, getConfig }, report) => {
        const shown = resources
          .filter(({ type }) => type === RES)
          .map(({ name, parent, dependencies, opts }) => ({ name, parent: parent?.name, dependencies: dependencies.map((d) => d.name), opts }));
        // Resources come in the order in which they were registered, which is left to chance.
        shown.sort((a, b) => (a.name < b.name ? -1 : 1));
        if (resources.length > getConfig().most) report(JSON.stringify(sorted(shown)));
      },
    },
  ],
});
