package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ConnectNATS connects to NATS_URL as NATS_USER. If the server is not there yet, it keeps trying, and the check fails until it is connected.
func ConnectNATS(name string) (*nats.Conn, Check, error) {
	values, err := NeedAll("NATS_URL", "NATS_USER", "NATS_PASSWORD")
	if err != nil {
		return nil, nil, err
	}
	connection, err := nats.Connect(values[0], nats.Name(name), nats.UserInfo(values[1], values[2]),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.ReconnectBufSize(-1),
		nats.IgnoreAuthErrorAbort(), nats.DrainTimeout(shutdownTimeout),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { slog.Warn("NATS", "error", err.Error()) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				slog.Warn("NATS is gone", "error", err.Error())
			}
		}))
	if err != nil {
		return nil, nil, err
	}
	return connection, func(context.Context) error {
		if !connection.IsConnected() {
			return errors.Join(errors.New("not connected"), connection.LastError())
		}
		return nil
	}, nil
}

// quiet writes the client's own messages to the debug log, as JSON. The caller of a failed command logs its error.
type quiet struct{}

func (quiet) Printf(_ context.Context, format string, values ...any) {
	slog.Debug("Redis", "said", fmt.Sprintf(format, values...))
}

// ConnectRedis connects to REDIS_ADDR as REDIS_USER.
func ConnectRedis() (*redis.Client, Check, error) {
	values, err := NeedAll("REDIS_ADDR", "REDIS_USER", "REDIS_PASSWORD")
	if err != nil {
		return nil, nil, err
	}
	redis.SetLogger(quiet{})
	client := redis.NewClient(&redis.Options{
		Addr: values[0], Username: values[1], Password: values[2],
		// The client sends no CLIENT SETINFO and no CLIENT MAINT_NOTIFICATIONS, which a server or the user's permissions may refuse.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	return client, func(ctx context.Context) error { return client.Ping(ctx).Err() }, nil
}
