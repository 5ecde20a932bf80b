const pulumi = require("@pulumi/pulumi");
const provider = require("@pulumi/pulumi/provider");
class Res extends pulumi.CustomResource {
  constructor(name, args, opts) {
    super("exp:index:Res", name, { out: undefined, ...args }, opts);
  }
}
class Group extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    super("cmp:index:Group", name, args, opts);
    const a = new Res(`${name}-a`, { name: `${name}-a`, v: args.v, s: args.s }, { parent: this });
    this.out = a.out;
    this.secretOut = pulumi.secret(args.v);
    this.registerOutputs({ out: this.out, secretOut: this.secretOut });
  }
}
const impl = {
  version: "1.0.0",
  async construct(name, _type, inputs, options) {
    const g = new Group(name, inputs, options);
    return { urn: g.urn, state: { out: g.out, secretOut: g.secretOut } };
  },
  async call(_token, inputs) {
    return { outputs: { said: pulumi.interpolate`hello ${inputs.who}` } };
  },
};
provider.main(impl, process.argv.slice(2));
