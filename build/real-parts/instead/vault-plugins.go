//go:build minimal

// What the minimal Vault lacks and the tests ask for: logins with tokens of Kubernetes. The full one compiles the clients of forty
// clouds and databases, which takes more than half of its time.
package builtinplugins

import credKube "github.com/hashicorp/vault-plugin-auth-kubernetes"

func extendAddonPlugins(r *registry) {
	r.credentialBackends["kubernetes"] = credentialBackend{Factory: credKube.Factory}
}
