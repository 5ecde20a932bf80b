package service

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

var tracer = otel.Tracer("demo")

// startTraces sends spans by OTLP to OTEL_EXPORTER_OTLP_ENDPOINT. Without that variable no spans are recorded. end sends the buffered ones.
func startTraces(ctx context.Context, name string) (end func()) {
	otel.SetTextMapPropagator(propagation.TraceContext{})
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return func() {}
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		slog.Error("no traces", "error", err.Error())
		return func() {}
	}
	of := resource.NewSchemaless(attribute.String("service.name", name), attribute.String("deployment.environment.name", Env("ENV", "local")))
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(of))
	otel.SetTracerProvider(provider)
	return func() {
		ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if err := provider.Shutdown(ending); err != nil {
			slog.Warn("spans were lost", "error", err.Error())
		}
	}
}

func startServerSpan(request *http.Request, pattern string) (context.Context, api.Span) {
	ctx := otel.GetTextMapPropagator().Extract(request.Context(), propagation.HeaderCarrier(request.Header))
	return tracer.Start(ctx, pattern, api.WithSpanKind(api.SpanKindServer))
}

func endServerSpan(span api.Span, code int) {
	span.SetAttributes(attribute.Int("http.response.status_code", code))
	if code >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(code))
	}
	span.End()
}

// Span runs work in a span of its own, and sets the span's status to the error of work.
func Span(ctx context.Context, name string, kind api.SpanKind, work func(context.Context) error) error {
	ctx, span := tracer.Start(ctx, name, api.WithSpanKind(kind))
	defer span.End()
	err := work(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}
