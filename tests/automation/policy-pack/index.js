// A pack with one policy of each kind. What is off by default is switched on by a test's settings.
const { PolicyPack } = require("@pulumi/policy");

const THING = "world:index:Thing";
/** A policy that only looks at Things. */
const ofThings = (validate) => (args, report) => {
  if (args.type === THING) return validate(args, report);
};

/** Leaves a mark, and goes on for ever. */
function never() {
  require("node:fs").writeFileSync(process.env.POLICY_ASKED, "");
  return new Promise((resolve) => setTimeout(resolve, 2 ** 30));
}

new PolicyPack("things", {
  enforcementLevel: "mandatory",
  policies: [
    {
      name: "name-is-short",
      description: "Names of things are short.",
      severity: "high",
      configSchema: { properties: { longest: { type: "number", minimum: 1, default: 8 } } },
      validateResource: ofThings(({ props, getConfig }, report) => {
        if (props.name.length > getConfig().longest) report(`${props.name} has more than ${getConfig().longest} letters`);
      }),
    },
    {
      name: "size-is-small",
      description: "Small things are better.",
      enforcementLevel: "advisory",
      validateResource: ofThings(({ props }, report) => {
        if (props.size > 10) report(`size ${props.size}`);
      }),
    },
    {
      name: "size-is-even",
      description: "Sizes are even.",
      enforcementLevel: "remediate",
      remediateResource: ({ type, props }) => {
        if (type === THING && props.size % 2 === 1) return { ...props, size: props.size + 1 };
      },
      validateResource: ofThings(({ props }, report) => {
        if (props.size % 2 === 1) report(`size ${props.size} is odd`);
      }),
    },
    {
      name: "link-is-known",
      description: "Looks at a value that a preview does not know.",
      enforcementLevel: "advisory",
      validateResource: ofThings(({ props }, report) => {
        if (props.link !== undefined && props.link.length > 1000) report();
      }),
    },
    {
      name: "tells-all",
      description: "Tells what it was given.",
      enforcementLevel: "disabled",
      validateResource: ofThings(({ urn, name, props, opts, provider, stackTags, getConfig, ...rest }, report) => {
        console.error(`looking at ${name} with password ${props.password}`);
        report(JSON.stringify({ name, props, opts, provider: provider && { type: provider.type, props: provider.props }, rest: Object.keys(rest).sort() }));
      }),
    },
    {
      name: "breaks",
      description: "Throws, or takes the pack with it.",
      enforcementLevel: "disabled",
      configSchema: { properties: { how: { enum: ["throws", "dies"] } }, required: [] },
      validateResource: ofThings(({ props, getConfig }) => {
        if (getConfig().how !== "dies") throw new Error(`thrown with ${props.password}`);
        process.stderr.write(`last words with ${props.password}\n`);
        process.exit(3);
      }),
    },
    {
      name: "few-things",
      description: "A stack has few things.",
      configSchema: { properties: { most: { type: "integer", default: 5 } } },
      validateStack: ({ resources, getConfig }, report) => {
        const things = resources.filter(({ type }) => type === THING);
        if (things.length <= getConfig().most) return;
        report(`${things.map(({ name, props, dependencies }) => `${name} of ${props.size} with ${dependencies.map((d) => d.name)}`)}`, things.at(-1).urn);
      },
    },
    {
      name: "hangs",
      description: "Never answers.",
      enforcementLevel: "disabled",
      validateStack: never,
    },
    {
      name: "passphrase",
      description: "Tells what the stack is.",
      enforcementLevel: "disabled",
      validateStack: (_args, report) => {
        const pulumi = require("@pulumi/pulumi");
        report(`${pulumi.getProject()} ${pulumi.getStack()} ${new pulumi.Config("auto").get("plain")}`);
      },
    },
  ],
});
