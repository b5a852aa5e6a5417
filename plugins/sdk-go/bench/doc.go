// Package bench has the interface of operators and the descriptor of plug-ins. A plug-in uses this package, and package export makes a
// component or a program of it. The package imports little, because everything that it imports is in the memory of every component.
package bench
