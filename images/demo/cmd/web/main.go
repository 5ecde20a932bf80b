// The page of the demo and its API: takes a word, sends it to the worker by NATS, and shows similar words.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"demo/internal/service"
	"demo/internal/words"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	api "go.opentelemetry.io/otel/trace"
)

const name = "demo-web"

//go:embed page.html
var page []byte

func main() {
	service.Main(name, map[string]func(context.Context) error{"serve": serve, "smoke": smoke})
}

type web struct {
	environment string
	nats        *nats.Conn
	redis       *redis.Client
}

func serve(ctx context.Context) error {
	environment, err := service.Need("ENV")
	if err != nil {
		return err
	}
	messages, natsCheck, err := service.ConnectNATS(name)
	if err != nil {
		return err
	}
	defer messages.Close()
	memory, redisCheck, err := service.ConnectRedis()
	if err != nil {
		return err
	}
	defer memory.Close()
	own := &web{environment, messages, memory}
	mux := http.NewServeMux()
	service.Handle(mux, "GET /{$}", func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("Content-Type", "text/html; charset=utf-8")
		writer.Header().Set("Content-Security-Policy", "default-src 'self' 'unsafe-inline'")
		if _, err := writer.Write(page); err != nil {
			slog.Warn("the page was not written", "error", err.Error())
		}
	})
	service.Handle(mux, "POST /api/words", own.add)
	service.Handle(mux, "GET /api/words/{id}", own.find)
	return service.Serve(ctx, mux, map[string]service.Check{"nats": natsCheck, "redis": redisCheck})
}

func refuse(writer http.ResponseWriter, code int, why string) {
	service.JSON(writer, code, map[string]string{"error": why})
}

func (own *web) add(writer http.ResponseWriter, request *http.Request) {
	var asked struct {
		Word string `json:"word"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(writer, request.Body, 4096))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		refuse(writer, http.StatusBadRequest, `the body is not {"word": "…"}`)
		return
	}
	word, err := words.Parse(asked.Word)
	if err != nil {
		refuse(writer, http.StatusBadRequest, err.Error())
		return
	}
	known, err := own.send(request.Context(), words.Sent{ID: rand.Text(), Word: word})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		refuse(writer, http.StatusServiceUnavailable, "no worker takes words")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		refuse(writer, http.StatusGatewayTimeout, "no worker answered in time")
	case err != nil:
		slog.Error("a word was not sent", "error", err.Error())
		refuse(writer, http.StatusServiceUnavailable, "words cannot be sent")
	case known.Error != "":
		refuse(writer, http.StatusBadGateway, known.Error)
	default:
		service.JSON(writer, http.StatusCreated, known)
	}
}

func (own *web) send(ctx context.Context, sent words.Sent) (known words.Known, err error) {
	body, err := json.Marshal(sent)
	if err != nil {
		return known, err
	}
	subject := words.Subject(own.environment)
	err = service.Span(ctx, "send "+subject, api.SpanKindProducer, func(ctx context.Context) error {
		message := &nats.Msg{Subject: subject, Data: body, Header: nats.Header{}}
		otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(message.Header))
		ctx, cancel := context.WithTimeout(ctx, words.Timeout)
		defer cancel()
		answer, err := own.nats.RequestMsgWithContext(ctx, message)
		if err != nil {
			return err
		}
		return json.Unmarshal(answer.Data, &known)
	})
	return known, err
}

func (own *web) find(writer http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithTimeout(request.Context(), words.Timeout)
	defer cancel()
	text, err := own.redis.Get(ctx, words.Key(own.environment, request.PathValue("id"))).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		refuse(writer, http.StatusNotFound, "there is no such word, or it was forgotten")
	case err != nil:
		slog.Error("a word was not read", "error", err.Error())
		refuse(writer, http.StatusServiceUnavailable, "words cannot be read")
	default:
		service.JSON(writer, http.StatusOK, json.RawMessage(text))
	}
}

// The worker and its table may be created at the same time, so smoke tries again until both are ready.
const (
	smokePatience = 90 * time.Second
	smokePause    = 2 * time.Second
)

// smoke sends a word to the web service at the URL of its argument, and reads it back.
func smoke(ctx context.Context) error {
	if len(os.Args) != 3 {
		return errors.New("smoke takes the URL of the service: smoke http://demo-web")
	}
	ctx, cancel := context.WithTimeout(ctx, smokePatience)
	defer cancel()
	var sent, read words.Known
	for {
		err := ask(ctx, http.MethodPost, os.Args[2]+"/api/words", []byte(`{"word": "smoke"}`), http.StatusCreated, &sent)
		if err == nil {
			break
		}
		slog.Warn("not yet", "error", err.Error())
		select {
		case <-ctx.Done():
			return err
		case <-time.After(smokePause):
		}
	}
	if err := ask(ctx, http.MethodGet, os.Args[2]+"/api/words/"+sent.ID, nil, http.StatusOK, &read); err != nil {
		return err
	}
	if read.ID != sent.ID || read.Word != "smoke" {
		return fmt.Errorf("sent %q as %s, and read %q as %s", "smoke", sent.ID, read.Word, read.ID)
	}
	slog.Info("smoke test passed", "id", read.ID)
	return nil
}

func ask(ctx context.Context, method, url string, body []byte, wanted int, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Timeout: 2 * words.Timeout}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil {
		return err
	}
	if answer.StatusCode != wanted {
		return fmt.Errorf("%s %s answered %d: %s", method, url, answer.StatusCode, text)
	}
	return json.Unmarshal(text, into)
}
