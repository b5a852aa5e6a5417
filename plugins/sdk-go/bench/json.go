package bench

import "unicode/utf8"

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
