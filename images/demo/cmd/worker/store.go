package main

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"net/url"
	"path"

	"demo/internal/service"
	"demo/internal/words"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql
var statements embed.FS

func statement(name string) string {
	text, err := statements.ReadFile(path.Join("sql", name))
	if err != nil {
		panic(err)
	}
	return string(text)
}

var insert, similar = statement("insert.sql"), statement("similar.sql")

// address is the URL of Postgres, from the variables that the application's description sets.
func address() (string, error) {
	values, err := service.NeedAll("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD")
	if err != nil {
		return "", err
	}
	query := url.Values{"sslmode": {service.Env("DB_SSLMODE", "require")}, "pool_max_conns": {service.Env("DB_CONNECTIONS", "4")}, "application_name": {name}}
	to := url.URL{Scheme: "postgres", User: url.UserPassword(values[3], values[4]), Host: values[0] + ":" + values[1], Path: "/" + values[2], RawQuery: query.Encode()}
	return to.String(), nil
}

type store struct{ pool *pgxpool.Pool }

func openStore(ctx context.Context) (*store, error) {
	to, err := address()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, to)
	if err != nil {
		return nil, err
	}
	return &store{pool}, nil
}

// add finds similar words and stores the new one, in one transaction.
func (own *store) add(ctx context.Context, sent words.Sent) (found []words.Similar, err error) {
	vector := words.Vector(sent.Word)
	err = pgx.BeginFunc(ctx, own.pool, func(transaction pgx.Tx) error {
		rows, err := transaction.Query(ctx, similar, vector)
		if err != nil {
			return err
		}
		if found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[words.Similar]); err != nil {
			return err
		}
		_, err = transaction.Exec(ctx, insert, sent.ID, sent.Word, vector)
		return err
	})
	return found, err
}

// migrate brings the tables to what this version of the program needs, each step once. A second migration at the same time waits for the first.
func migrate(ctx context.Context) error {
	own, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer own.pool.Close()
	steps, err := statements.ReadDir("sql/migrations")
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, own.pool, func(transaction pgx.Tx) error {
		if _, err := transaction.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", name); err != nil {
			return err
		}
		if _, err := transaction.Exec(ctx, "CREATE TABLE IF NOT EXISTS demo_migrations (name text PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"); err != nil {
			return err
		}
		for _, step := range steps {
			done, err := transaction.Exec(ctx, "INSERT INTO demo_migrations (name) VALUES ($1) ON CONFLICT DO NOTHING", step.Name())
			if err != nil {
				return err
			}
			if done.RowsAffected() == 0 {
				continue
			}
			if _, err := transaction.Conn().PgConn().Exec(ctx, statement("migrations/"+step.Name())).ReadAll(); err != nil {
				return fmt.Errorf("%s: %w", step.Name(), err)
			}
			slog.Info("migrated", "step", step.Name())
		}
		return nil
	})
}
