package process

import (
	"encoding/json"
	"fmt"

	"bench-host/sdk-go/bench"
)

// call is a request of the host to the operator.
type call struct {
	Call      string      `json:"call"`
	Arguments [][2]string `json:"arguments"`
	Event     *event      `json:"event"`
	State     []byte      `json:"state"`
}

// event is a change of an object.
type event struct {
	Type   string `json:"type"`
	Object object `json:"object"`
}

// object is an object, or the known parts of one.
type object struct {
	Kind            string          `json:"kind"`
	Namespace       string          `json:"namespace"`
	Name            string          `json:"name"`
	ResourceVersion uint64          `json:"resourceVersion,omitempty"`
	Spec            json.RawMessage `json:"spec,omitempty"`
}

// request is a request of the operator to the control plane.
type request struct {
	Plane  string `json:"plane"`
	Object object `json:"object"`
}

// answer is the answer of the control plane to a request.
type answer struct {
	Object  *object `json:"object"`
	Removed bool    `json:"removed"`
	Refused string  `json:"refused"`
	Version uint64  `json:"version"`
	Message string  `json:"message"`
}

// end is the result of a call: success or an error.
type end struct {
	// Done is an object, empty if the call has no result; nil if there is an error.
	Done  map[string]any
	Error string
}

// MarshalJSON returns either Done or the error.
func (ended end) MarshalJSON() ([]byte, error) {
	if ended.Done != nil {
		return json.Marshal(map[string]any{"done": ended.Done})
	}
	return json.Marshal(map[string]string{"error": ended.Error})
}

// watch selects events.
type watch struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
}

func objectOf(key bench.Key, version uint64, spec []byte) object {
	return object{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name, ResourceVersion: version, Spec: spec}
}

func (given object) object() bench.Object {
	key := bench.Key{Kind: given.Kind, Namespace: given.Namespace, Name: given.Name}
	return bench.Object{Key: key, ResourceVersion: given.ResourceVersion, Spec: given.Spec}
}

func (given *event) event() (bench.Event, error) {
	if given == nil {
		return bench.Event{}, fmt.Errorf("the host called `reconcile` without an event")
	}
	types := map[string]bench.EventType{"ADDED": bench.Added, "MODIFIED": bench.Modified, "DELETED": bench.Deleted}
	kind, known := types[given.Type]
	if !known {
		return bench.Event{}, fmt.Errorf("the host sent the unknown event `%s`; build this program against the host's version of the SDK", given.Type)
	}
	return bench.Event{Type: kind, Object: given.Object.object()}, nil
}

// refusal returns the error of an answer, or nil.
func (given answer) refusal() error {
	switch given.Refused {
	case "":
		return nil
	case "notFound":
		return bench.ErrNotFound
	case "conflict":
		return bench.ConflictError{Version: given.Version}
	case "invalid":
		return bench.InvalidError{Reason: given.Message}
	default:
		return bench.UnavailableError{Reason: given.Message}
	}
}
