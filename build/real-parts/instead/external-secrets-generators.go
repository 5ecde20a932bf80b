// Of what External Secrets makes up by itself, what needs no client of a service.
package register

import _ "github.com/external-secrets/external-secrets/pkg/generator/password"
