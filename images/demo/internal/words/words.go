// Package words has the messages between the two services, and the names of the NATS subject and of the keys in Valkey.
package words

import (
	"fmt"
	"hash/fnv"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Timeout is how long the sender of a word waits for the answer.
const Timeout = 5 * time.Second

// Kept is how long a word stays in Valkey.
const Kept = 24 * time.Hour

// Dimensions of a word's vector, as the table has them.
const Dimensions = 64

// Sent is a word as the web service sends it to the worker.
type Sent struct {
	ID   string `json:"id"`
	Word string `json:"word"`
}

// Similar is a word that was stored before. Distance is the cosine distance: 0 for the same word, 1 for nothing in common.
type Similar struct {
	Word     string  `json:"word"`
	Distance float64 `json:"distance"`
}

// Known is the worker's answer: the word with similar ones, or Error if it was not stored.
type Known struct {
	Sent
	Similar []Similar `json:"similar"`
	Error   string    `json:"error,omitempty"`
}

var allowed = regexp.MustCompile(`^\p{L}[\p{L}\p{M}' -]{0,63}$`)

// Parse returns a word in the form in which it is stored: without spaces around it, in lower case.
func Parse(text string) (string, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	if !allowed.MatchString(word) {
		return "", fmt.Errorf("a word is 1 to 64 letters, spaces, dashes and apostrophes, and begins with a letter")
	}
	return word, nil
}

// Subject is where words of an environment are sent, by NATS.
func Subject(environment string) string { return environment + ".demo.words" }

// Key is a word's key in Valkey.
func Key(environment, id string) string { return environment + ":demo:" + id }

// Vector of a word, by its groups of three letters, as pgvector reads it. Words that share groups are near one another.
func Vector(word string) string {
	var counts [Dimensions]float64
	letters := []rune("  " + word + " ")
	for at := 0; at+3 <= len(letters); at++ {
		hash := fnv.New32a()
		hash.Write([]byte(string(letters[at : at+3])))
		counts[hash.Sum32()%Dimensions]++
	}
	var square float64
	for _, count := range counts {
		square += count * count
	}
	parts := make([]string, Dimensions)
	for index, count := range counts {
		parts[index] = strconv.FormatFloat(count/math.Sqrt(square), 'g', 6, 64)
	}
	return "[" + strings.Join(parts, ",") + "]"
}
