package bench

import (
	"errors"
	"strconv"
)

// ErrNotFound means that the object does not exist.
var ErrNotFound = errors.New("there is no such object")

// ConflictError means that the object was written in the meantime, exists already, or has a field that another writer owns.
type ConflictError struct {
	// Version is the current version of the object.
	Version uint64
}

// Error names the current version.
func (err ConflictError) Error() string {
	return "conflict with version " + strconv.FormatUint(err.Version, 10) + ": read it again"
}

// InvalidError means that a request is invalid, and gives the reason.
type InvalidError struct {
	Reason string
}

// Error returns the reason.
func (err InvalidError) Error() string {
	return err.Reason
}

// UnavailableError means that the control plane does not answer or refuses temporarily, and gives the reason.
type UnavailableError struct {
	Reason string
}

// Error returns the reason.
func (err UnavailableError) Error() string {
	return err.Reason
}

// UnknownScenarioError means that the module has no scenario of this name.
type UnknownScenarioError struct {
	Name string
}

// Error names the scenario.
func (err UnknownScenarioError) Error() string {
	return "unknown scenario " + err.Name
}

// DeniedError means that the host did not grant something; the cell is skipped.
type DeniedError struct {
	Reason string
}

// Error returns the reason.
func (err DeniedError) Error() string {
	return err.Reason
}

func decimal(number uint64) string {
	return strconv.FormatUint(number, 10)
}
