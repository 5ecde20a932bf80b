// Package service is what both programs of the demo have in common: their ports, probes, metrics, logs, and graceful shutdown.
package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	checkTimeout    = 2 * time.Second
	shutdownTimeout = 10 * time.Second
)

// Check tests whether one dependency of the program can be used.
type Check func(context.Context) error

// Main runs one of the commands and ends the process: 0 where it went well or was asked to stop, 1 where it failed, 2 for an unknown command.
// Without a command it is "serve". Every program also has "healthcheck", which asks its own probe.
func Main(name string, commands map[string]func(context.Context) error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(Env("LOG_LEVEL", "INFO"))); err != nil {
		fmt.Fprintf(os.Stderr, "LOG_LEVEL: %v\n", err)
		os.Exit(2)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level})).With("service", name))
	command := "serve"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	commands["healthcheck"] = healthcheck
	run, known := commands[command]
	if !known {
		fmt.Fprintf(os.Stderr, "%s has no command %q\n", name, command)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	endTraces := startTraces(ctx, name)
	err := run(ctx)
	endTraces()
	if err != nil {
		slog.Error("failed", "command", command, "error", err.Error())
		os.Exit(1)
	}
}

// Env returns a variable of the environment, or otherwise if it is not set.
func Env(name, otherwise string) string {
	if value, set := os.LookupEnv(name); set {
		return value
	}
	return otherwise
}

// Need returns a variable of the environment, or an error if it is not set or empty.
func Need(name string) (string, error) {
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	return "", fmt.Errorf("the variable %s is not set", name)
}

// NeedAll is Need for several, in their order.
func NeedAll(names ...string) ([]string, error) {
	values := make([]string, len(names))
	for index, name := range names {
		value, err := Need(name)
		if err != nil {
			return nil, err
		}
		values[index] = value
	}
	return values, nil
}

var requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name: "demo_http_request_duration_seconds",
	Help: "How long requests took, by route and status.",
}, []string{"route", "code"})

func init() { prometheus.MustRegister(requests) }

type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Handle adds a route that is measured and traced; probes are neither.
func Handle(mux *http.ServeMux, pattern string, handler http.HandlerFunc) {
	mux.HandleFunc(pattern, func(writer http.ResponseWriter, request *http.Request) {
		began := time.Now()
		ctx, span := startServerSpan(request, pattern)
		recorded := &recorder{ResponseWriter: writer, code: http.StatusOK}
		handler(recorded, request.WithContext(ctx))
		endServerSpan(span, recorded.code)
		requests.WithLabelValues(pattern, strconv.Itoa(recorded.code)).Observe(time.Since(began).Seconds())
	})
}

// JSON answers with a value.
func JSON(writer http.ResponseWriter, code int, value any) {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(code)
	if err := json.NewEncoder(writer).Encode(value); err != nil {
		slog.Warn("an answer was not written", "error", err.Error())
	}
}

// probes adds /livez, which says that the program answers at all, and /readyz, which checks its dependencies.
func probes(mux *http.ServeMux, checks map[string]Check) {
	mux.HandleFunc("GET /livez", func(writer http.ResponseWriter, _ *http.Request) {
		JSON(writer, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(writer http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), checkTimeout)
		defer cancel()
		code, found := http.StatusOK, map[string]string{}
		for name, check := range checks {
			found[name] = "ok"
			if err := check(ctx); err != nil {
				// Only the log has the reason, since anybody may call the probe.
				slog.Warn("not ready", "dependency", name, "error", err.Error())
				code, found[name] = http.StatusServiceUnavailable, "down"
			}
		}
		JSON(writer, code, found)
	})
}

// Serve answers on HTTP_ADDRESS (default :8080), with metrics on METRICS_ADDRESS (default :9090), until the context ends.
// It logs the addresses that it listens on: with port 0 the system chooses the port.
func Serve(ctx context.Context, mux *http.ServeMux, checks map[string]Check) error {
	probes(mux, checks)
	metrics := http.NewServeMux()
	metrics.Handle("GET /metrics", promhttp.Handler())
	failed := make(chan error, 2)
	servers := []*http.Server{}
	for _, one := range []struct {
		name, address string
		handler       http.Handler
	}{{"http", Env("HTTP_ADDRESS", ":8080"), mux}, {"metrics", Env("METRICS_ADDRESS", ":9090"), metrics}} {
		listener, err := net.Listen("tcp", one.address)
		if err != nil {
			return fmt.Errorf("port %s: %w", one.name, err)
		}
		slog.Info("listening", "port", one.name, "address", listener.Addr().String())
		server := &http.Server{Handler: one.handler, ReadHeaderTimeout: 5 * time.Second}
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
	}
	var first error
	select {
	case first = <-failed:
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	for _, server := range servers {
		first = errors.Join(first, server.Shutdown(ending))
	}
	return first
}

func healthcheck(ctx context.Context) error {
	_, port, err := net.SplitHostPort(Env("HTTP_ADDRESS", ":8080"))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/livez", nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Timeout: checkTimeout}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/livez answered %d", answer.StatusCode)
	}
	return nil
}
