// Package bench has the interfaces of workloads and operators and the descriptor of plug-ins. A plug-in uses this package, and package
// workload or package export makes a component of it. The package imports little, because everything that it imports is in the memory of
// every component.
package bench
