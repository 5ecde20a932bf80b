// Prints the pipeline in this folder with every `include` and `extends` resolved, as GitLab does, after a check against
// GitLab's own schema. The package that does it needs Node 22; these are the functions that Node 20 lacks.
Set.prototype.union ??= function union(other) {
  return new Set([...this, ...other]);
};
Set.prototype.difference ??= function difference(other) {
  return new Set([...this].filter((one) => !other.has(one)));
};
process.argv.push("--preview", "--json-schema-validation");
await import("gitlab-ci-local");
