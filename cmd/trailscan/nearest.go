package main

import "strings"

// didYouMean asks for the word that a user may have meant.
func didYouMean(word string, words []string) string {
	return "did you mean " + nearest(word, words) + "?"
}

// nearest is the word with the fewest edits between it and the one given, the
// first of several.
func nearest(word string, words []string) string {
	best, fewest := "", 0
	for _, w := range words {
		if n := edits(strings.ToLower(word), strings.ToLower(w)); best == "" || n < fewest {
			best, fewest = w, n
		}
	}
	return best
}

// edits is the Levenshtein distance of two words. What is longer than any name
// is compared by its beginning.
func edits(a, b string) int {
	const longest = 100
	a, b = a[:min(len(a), longest)], b[:min(len(b), longest)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
