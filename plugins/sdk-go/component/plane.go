//go:build wasip1

package component

import (
	"unsafe"

	"bench-host/sdk-go/bench"
)

//go:wasmimport bench-host:operator/control-plane@0.2.0 get
func planeGet(kind, namespace, name string, to unsafe.Pointer)

//go:wasmimport bench-host:operator/control-plane@0.2.0 apply
func planeApply(kind, namespace, name, spec string, to unsafe.Pointer)

//go:wasmimport bench-host:operator/control-plane@0.2.0 create
func planeCreate(kind, namespace, name, spec string, to unsafe.Pointer)

//go:wasmimport bench-host:operator/control-plane@0.2.0 update
func planeUpdate(kind, namespace, name string, version uint64, spec string, to unsafe.Pointer)

//go:wasmimport bench-host:operator/control-plane@0.2.0 delete
func planeDelete(kind, namespace, name string, to unsafe.Pointer)

// answer is the answer of the control plane: an object, a version or an error. There is one at a time.
type answer struct {
	isError uint64
	// kind is the kind of error, if it is an error, and the version, if the answer is only that.
	kind            list
	namespace, name list
	version         uint64
	spec            list
}

var answered answer

// plane is the control plane of the host, for this instance.
type plane struct{}

func (plane) Get(key bench.Key) (bench.Object, error) {
	defer restore(used)
	planeGet(key.Kind, key.Namespace, key.Name, unsafe.Pointer(&answered))
	if err := answered.refusal(); err != nil {
		return bench.Object{}, err
	}
	// The object is used longer than the answer, so it is copied.
	spec := append([]byte(nil), answered.spec.bytes()...)
	return bench.Object{Key: key, ResourceVersion: answered.version, Spec: spec}, nil
}

func (plane) Apply(key bench.Key, spec []byte) (uint64, error) {
	defer restore(used)
	planeApply(key.Kind, key.Namespace, key.Name, lent(spec), unsafe.Pointer(&answered))
	return answered.written()
}

func (plane) Create(key bench.Key, spec []byte) (uint64, error) {
	defer restore(used)
	planeCreate(key.Kind, key.Namespace, key.Name, lent(spec), unsafe.Pointer(&answered))
	return answered.written()
}

func (plane) Update(object bench.Object) (uint64, error) {
	defer restore(used)
	key := object.Key
	planeUpdate(key.Kind, key.Namespace, key.Name, object.ResourceVersion, lent(object.Spec), unsafe.Pointer(&answered))
	return answered.written()
}

func (plane) Delete(key bench.Key) error {
	defer restore(used)
	planeDelete(key.Kind, key.Namespace, key.Name, unsafe.Pointer(&answered))
	return answered.refusal()
}

// lent returns bytes that are valid during a call.
func lent(bytes []byte) string {
	return unsafe.String(unsafe.SliceData(bytes), len(bytes))
}

func (answer *answer) written() (uint64, error) {
	if err := answer.refusal(); err != nil {
		return 0, err
	}
	return word(answer.kind), nil
}

// refusal returns the error of the answer, or nil. Its value is in the place of an object's namespace.
func (answer *answer) refusal() error {
	if uint8(answer.isError) == 0 {
		return nil
	}
	value := answer.namespace
	switch uint8(answer.kind.at) {
	case 0:
		return bench.ErrNotFound
	case 1:
		return bench.ConflictError{Version: word(value)}
	case 2:
		return bench.InvalidError{Reason: string(value.bytes())}
	default:
		return bench.UnavailableError{Reason: string(value.bytes())}
	}
}
