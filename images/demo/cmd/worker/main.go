// The worker of the demo: takes words by NATS, writes them into Postgres, looks for similar ones, and caches the result in Valkey.
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"demo/internal/service"
	"demo/internal/words"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	api "go.opentelemetry.io/otel/trace"
)

const name = "demo-worker"

var taken = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "demo_words_total",
	Help: "Words received, by result: kept, refused (not a word) or failed.",
}, []string{"result"})

func main() {
	prometheus.MustRegister(taken)
	for _, result := range []string{"kept", "refused", "failed"} {
		taken.WithLabelValues(result)
	}
	service.Main(name, map[string]func(context.Context) error{"serve": serve, "migrate": migrate})
}

type worker struct {
	environment string
	store       *store
	redis       *redis.Client
}

func serve(ctx context.Context) error {
	environment, err := service.Need("ENV")
	if err != nil {
		return err
	}
	rows, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer rows.pool.Close()
	memory, redisCheck, err := service.ConnectRedis()
	if err != nil {
		return err
	}
	defer memory.Close()
	messages, natsCheck, err := service.ConnectNATS(name)
	if err != nil {
		return err
	}
	// Runs before the connections that a word needs are closed.
	defer drain(messages)
	own := &worker{environment, rows, memory}
	// A word that was taken is finished even when the program is asked to stop.
	taking := context.WithoutCancel(ctx)
	// Each word goes to one of the replicas.
	if _, err := messages.QueueSubscribe(words.Subject(environment), name, func(message *nats.Msg) { own.take(taking, message) }); err != nil {
		return err
	}
	return service.Serve(ctx, http.NewServeMux(), map[string]service.Check{"nats": natsCheck, "redis": redisCheck, "postgres": rows.pool.Ping})
}

// drain takes no more words, and waits until those that were taken are answered.
func drain(messages *nats.Conn) {
	left := make(chan struct{})
	messages.SetClosedHandler(func(*nats.Conn) { close(left) })
	// Drain returns at once; the connection closes when all words are answered.
	if err := messages.Drain(); err != nil {
		slog.Warn("the connection to NATS was not drained", "error", err.Error())
		return
	}
	<-left
}

func (own *worker) take(ctx context.Context, message *nats.Msg) {
	ctx = otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(message.Header))
	var answer words.Known
	err := service.Span(ctx, "take "+message.Subject, api.SpanKindConsumer, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, words.Timeout)
		defer cancel()
		var sent words.Sent
		if err = json.Unmarshal(message.Data, &sent); err == nil {
			sent.Word, err = words.Parse(sent.Word)
		}
		if err != nil {
			answer.Error = "this is not a word"
			taken.WithLabelValues("refused").Inc()
			return err
		}
		if answer, err = own.keep(ctx, sent); err != nil {
			answer.Error = "the word was not kept"
			taken.WithLabelValues("failed").Inc()
			return err
		}
		taken.WithLabelValues("kept").Inc()
		return nil
	})
	if err != nil {
		slog.Error("a word was not taken", "error", err.Error())
	}
	body, err := json.Marshal(answer)
	if err == nil {
		err = message.Respond(body)
	}
	if err != nil {
		slog.Error("the answer was not sent", "error", err.Error())
	}
}

func (own *worker) keep(ctx context.Context, sent words.Sent) (known words.Known, err error) {
	known = words.Known{Sent: sent}
	if err = service.Span(ctx, "write and compare", api.SpanKindClient, func(ctx context.Context) (err error) {
		known.Similar, err = own.store.add(ctx, sent)
		return err
	}); err != nil {
		return known, err
	}
	body, err := json.Marshal(known)
	if err != nil {
		return known, err
	}
	return known, service.Span(ctx, "keep", api.SpanKindClient, func(ctx context.Context) error {
		return own.redis.Set(ctx, words.Key(own.environment, sent.ID), body, words.Kept).Err()
	})
}
