SELECT word, min(distance) AS distance
FROM (SELECT word, embedding <=> $1::text::vector AS distance FROM demo_words ORDER BY distance LIMIT 50) AS near
GROUP BY word
ORDER BY distance, word
LIMIT 5
