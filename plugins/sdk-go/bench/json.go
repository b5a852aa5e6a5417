package bench

import (
	"errors"
	"unicode/utf8"
)

// ErrNoObject means that a text is not a JSON object.
var ErrNoObject = errors.New("not a JSON object")

// Field returns the JSON of a field of a JSON object, or nil if there is none; of two fields with the same name, the later. The result
// is a part of the text, without allocation. A name with escapes is not found.
func Field(object []byte, name string) ([]byte, error) {
	var value []byte
	at := blanks(object, 0)
	end, is := members(object, at, '{', '}', func(key, member []byte) {
		if string(key) == name {
			value = member
		}
	})
	if !is || blanks(object, end) != len(object) {
		return nil, ErrNoObject
	}
	return value, nil
}

// Quote appends the JSON of a text.
func Quote(to []byte, text string) []byte {
	const hexadecimal = "0123456789abcdef"
	to = append(to, '"')
	for _, letter := range text {
		switch {
		case letter == '"' || letter == '\\':
			to = append(to, '\\', byte(letter))
		case letter < ' ':
			to = append(to, '\\', 'u', '0', '0', hexadecimal[letter>>4], hexadecimal[letter&15])
		default:
			to = utf8.AppendRune(to, letter)
		}
	}
	return append(to, '"')
}

// members iterates over the object or array that begins here, and returns where it ends and whether it is valid. Keys are passed
// without their quotes, and are empty in an array.
func members(text []byte, at int, opens, closes byte, show func(key, member []byte)) (int, bool) {
	if !is(text, at, opens) {
		return at, false
	}
	at = blanks(text, at+1)
	if is(text, at, closes) {
		return at + 1, true
	}
	for {
		var key []byte
		if opens == '{' {
			end, ok := quoted(text, at)
			colon := blanks(text, end)
			if !ok || !is(text, colon, ':') {
				return at, false
			}
			key, at = text[at+1:end-1], blanks(text, colon+1)
		}
		end, ok := skip(text, at)
		if !ok {
			return at, false
		}
		show(key, text[at:end])
		switch at = blanks(text, end); {
		case is(text, at, closes):
			return at + 1, true
		case !is(text, at, ','):
			return at, false
		}
		at = blanks(text, at+1)
	}
}

// skip returns where the value that begins here ends, and whether it is valid.
func skip(text []byte, at int) (int, bool) {
	ignored := func(_, _ []byte) {}
	switch {
	case is(text, at, '"'):
		return quoted(text, at)
	case is(text, at, '{'):
		return members(text, at, '{', '}', ignored)
	case is(text, at, '['):
		return members(text, at, '[', ']', ignored)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if end := at + len(word); end <= len(text) && string(text[at:end]) == word {
			return end, true
		}
	}
	return number(text, at)
}

// number parses a JSON number: an integer without leading zeros, a fraction, an exponent.
func number(text []byte, at int) (int, bool) {
	if is(text, at, '-') {
		at++
	}
	end := digits(text, at)
	if end == at || (text[at] == '0' && end > at+1) {
		return at, false
	}
	if is(text, end, '.') {
		at, end = end+1, digits(text, end+1)
		if end == at {
			return at, false
		}
	}
	if is(text, end, 'e') || is(text, end, 'E') {
		at = end + 1
		if is(text, at, '-') || is(text, at, '+') {
			at++
		}
		if end = digits(text, at); end == at {
			return at, false
		}
	}
	return end, true
}

// quoted returns where the string that begins here ends, and whether it is valid.
func quoted(text []byte, at int) (int, bool) {
	if !is(text, at, '"') {
		return at, false
	}
	for at++; at < len(text); at++ {
		switch letter := text[at]; {
		case letter == '"':
			return at + 1, true
		case letter < ' ':
			return at, false
		case letter == '\\':
			at++
		}
	}
	return at, false
}

func digits(text []byte, at int) int {
	for at < len(text) && '0' <= text[at] && text[at] <= '9' {
		at++
	}
	return at
}

func blanks(text []byte, at int) int {
	for is(text, at, ' ') || is(text, at, '\n') || is(text, at, '\t') || is(text, at, '\r') {
		at++
	}
	return at
}

func is(text []byte, at int, letter byte) bool {
	return at < len(text) && text[at] == letter
}
