-- In the homelab the platform's module postgres has created the extension already.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE demo_words (
  id text PRIMARY KEY,
  word text NOT NULL,
  embedding vector(64) NOT NULL,
  created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX demo_words_embedding ON demo_words USING hnsw (embedding vector_cosine_ops);
