//go:build minimal

// What the minimal Vault lacks and the tests ask for: a storage of plain files, which may be copied.
package command

import (
	"github.com/hashicorp/vault/sdk/physical"
	physFile "github.com/hashicorp/vault/sdk/physical/file"
)

func extendAddonHandlers(handlers *vaultHandlers) {
	handlers.physicalBackends["file"] = physical.Factory(physFile.NewFileBackend)
}
