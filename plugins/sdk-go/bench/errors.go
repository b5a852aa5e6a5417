package bench

import (
	"errors"
	"strconv"
)

// ErrNotFound says that there is no such object.
var ErrNotFound = errors.New("there is no such object")

// ConflictError says that the object was written meanwhile, is there already, or has a field that somebody else owns.
type ConflictError struct {
	// Version is the one that the object has.
	Version uint64
}

// Error says which version it has.
func (err ConflictError) Error() string {
	return "conflict with version " + strconv.FormatUint(err.Version, 10) + ": read it again"
}

// InvalidError says why what was asked for cannot be.
type InvalidError struct {
	Reason string
}

// Error is the reason.
func (err InvalidError) Error() string {
	return err.Reason
}

// UnavailableError says why the control plane does not answer, or refuses for now.
type UnavailableError struct {
	Reason string
}

// Error is the reason.
func (err UnavailableError) Error() string {
	return err.Reason
}
