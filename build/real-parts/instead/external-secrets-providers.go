// Of the stores that External Secrets reads, those that the tests have: Vault. The others are the clients of thirty services, and take
// more than half of its time to compile.
package register

import _ "github.com/external-secrets/external-secrets/pkg/provider/vault"
