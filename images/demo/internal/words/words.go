// Package words is what the two services tell one another: a word, what is like it, and where both lie.
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

// Timeout is how long whoever sent a word waits for what became of it.
const Timeout = 5 * time.Second

// Kept is how long a word stays in memory.
const Kept = 24 * time.Hour

// Dimensions of a word's vector, as the table has them.
const Dimensions = 64

// Sent is a word on its way.
type Sent struct {
	ID   string `json:"id"`
	Word string `json:"word"`
}

// Similar is a word that was there before. Distance is that of the cosine: 0 for the same, 1 for nothing in common.
type Similar struct {
	Word     string  `json:"word"`
	Distance float64 `json:"distance"`
}

// Known is a word that has been taken. Error says why it was not.
type Known struct {
	Sent
	Similar []Similar `json:"similar"`
	Error   string    `json:"error,omitempty"`
}

var allowed = regexp.MustCompile(`^\p{L}[\p{L}\p{M}' -]{0,63}$`)

// Parse is a word as it is kept: without spaces around it, in lower case.
func Parse(text string) (string, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	if !allowed.MatchString(word) {
		return "", fmt.Errorf("a word is 1 to 64 letters, spaces, dashes and apostrophes, and begins with a letter")
	}
	return word, nil
}

// Subject is where words of an environment are sent, by NATS.
func Subject(environment string) string { return environment + ".demo.words" }

// Key is where a word lies in memory.
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
