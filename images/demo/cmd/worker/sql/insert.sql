INSERT INTO demo_words (id, word, embedding) VALUES ($1, $2, $3::text::vector)
