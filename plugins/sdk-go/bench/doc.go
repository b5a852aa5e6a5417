// Package bench is what an operator is and what a plug-in says of itself: a plug-in is written against this package, once, and is
// exported as a component and as a process by package export. It must not know which of the two it is, nor how either works,
// and it imports little, because what it imports is in the memory of every component.
package bench
