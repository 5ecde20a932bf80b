// The pipeline in this folder as GitLab sees it, with every `include` and `extends` resolved, after a check against
// GitLab's own schema. The package that does it is made for Node 22: what Node 20 lacks of it stands here.
Set.prototype.union ??= function union(other) {
  return new Set([...this, ...other]);
};
Set.prototype.difference ??= function difference(other) {
  return new Set([...this].filter((one) => !other.has(one)));
};
process.argv.push("--preview", "--json-schema-validation");
await import("gitlab-ci-local");
