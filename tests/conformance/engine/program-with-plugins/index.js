// A program with what needs more than data: transforms, hooks, a component and a method of a plugin. V: a version of the inputs; FAIL: one more
// resource, which fails; FAILHOOK: the hook that throws; WITHD: one more resource, with hooks. What is called is noted beside the calls of the provider.
const pulumi = require("@pulumi/pulumi");
const fs = require("node:fs");
class Res extends pulumi.CustomResource {
  constructor(name, args, opts) {
    super("exp:index:Res", name, { out: undefined, ...args }, opts);
  }
}
class Group extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    super("cmp:index:Group", name, { out: undefined, secretOut: undefined, ...args }, opts, true);
  }
  say(who) {
    return pulumi.runtime.call("cmp:index:Group/say", { __self__: this, who }, this);
  }
}
class Local extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    super("my:index:Local", name, args, opts);
    this.registerOutputs({ k: "v" });
  }
}
const note = (method, fields) => fs.appendFileSync(`${process.env.EXP_DIR}/calls.jsonl`, `${JSON.stringify({ method, ...fields })}\n`);
const v = Number(process.env.V || 1);
module.exports = async () => {
  pulumi.runtime.registerStackTransform((args) => {
    note("Stack transform", { args: { type: args.type, name: args.name, custom: args.custom } });
    if (args.type === "exp:index:Res") return { props: { ...args.props, tag: "t" }, opts: args.opts };
    return undefined;
  });
  pulumi.runtime.registerInvokeTransform((args) => ({ args: { ...args.args, extra: 1 }, opts: args.opts }));
  const hook = (name, o) =>
    new pulumi.ResourceHook(
      name,
      (a) => {
        note(`Hook ${name}`, {
          urn: a.urn,
          id: a.id,
          newInputs: a.newInputs,
          oldInputs: a.oldInputs,
          newOutputs: a.newOutputs,
          oldOutputs: a.oldOutputs,
          oldOptions: a.oldOptions,
          newOptions: a.newOptions,
        });
        if (process.env.FAILHOOK === name) throw new Error("hook says no");
      },
      o,
    );
  const bc = hook("bc"),
    ac = hook("ac"),
    bu = hook("bu", { onDryRun: true }),
    au = hook("au"),
    bd = hook("bd"),
    ad = hook("ad");
  let tries = 0;
  const eh = new pulumi.ErrorHook("eh", (a) => {
    note("Error hook", { urn: a.urn, operation: a.failedOperation, errors: a.errors });
    return ++tries < 3;
  });
  const hooks = { beforeCreate: [bc], afterCreate: [ac], beforeUpdate: [bu], afterUpdate: [au], beforeDelete: [bd], afterDelete: [ad] };
  const l = new Local(
    "l",
    { x: v },
    {
      hooks,
      transforms: [
        (args) => ({ props: args.props, opts: args.name === "c" ? pulumi.mergeOptions(args.opts, { protect: false, ignoreChanges: ["q"] }) : args.opts }),
      ],
    },
  );
  const a = new Res(
    "a",
    { name: "a", v, s: pulumi.secret("x") },
    { parent: l, hooks, transforms: [(args) => ({ props: { ...args.props, w: 2 }, opts: args.opts })] },
  );
  new Res("c", { name: "c", x: a.out, v: 1 }, { parent: l, dependsOn: [a] });
  if (process.env.FAIL) new Res("e", { name: "e", fail: "UNKNOWN" }, { hooks: { onError: [eh] } });
  const r = {};
  if (!process.env.NOREMOTE) {
    const g = new Group("g", { v: a.out, s: pulumi.secret("t"), n: v }, { dependsOn: [a] });
    r.gout = g.out;
    r.gs = g.secretOut;
    r.said = g.say(a.out).apply((x) => x.said);
  }
  if (process.env.WITHD) new Res("d", { name: "d" }, { hooks });
  r.inv = pulumi.output(pulumi.runtime.invoke("exp:index:fn", { q: 1, s: pulumi.secret("z") }));
  return r;
};
