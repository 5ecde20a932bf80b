// Of the name servers that external-dns writes to, those that the tests have: Pi-hole. The others are the clients of thirty services, and
// take half of its time to compile.
package factory

import (
	"context"
	"fmt"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/provider/pihole"
)

// Select makes the provider that the flags name.
func Select(ctx context.Context, cfg *externaldns.Config, domainFilter *endpoint.DomainFilter) (provider.Provider, error) {
	if cfg.Provider != externaldns.ProviderPihole {
		return nil, fmt.Errorf("this external-dns was built for tests, with the provider %s alone, not %s", externaldns.ProviderPihole, cfg.Provider)
	}
	p, err := pihole.New(ctx, cfg, domainFilter)
	if err == nil && cfg.ProviderCacheTime > 0 {
		return provider.NewCachedProvider(p, cfg.ProviderCacheTime), nil
	}
	return p, err
}
