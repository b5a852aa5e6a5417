//go:build wasip1

package component

import (
	"unsafe"

	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/internal/abi"
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
	kind            abi.List
	namespace, name abi.List
	version         uint64
	spec            abi.List
}

var answered answer

// plane is the control plane of the host, for this instance.
type plane struct{}

func (plane) Get(key bench.Key) (bench.Object, error) {
	defer abi.Restore(abi.Used())
	planeGet(key.Kind, key.Namespace, key.Name, unsafe.Pointer(&answered))
	if err := answered.refusal(); err != nil {
		return bench.Object{}, err
	}
	// The object is used longer than the answer, so it is copied.
	spec := append([]byte(nil), answered.spec.Bytes()...)
	return bench.Object{Key: key, ResourceVersion: answered.version, Spec: spec}, nil
}

func (plane) Apply(key bench.Key, spec []byte) (uint64, error) {
	defer abi.Restore(abi.Used())
	planeApply(key.Kind, key.Namespace, key.Name, lent(spec), unsafe.Pointer(&answered))
	return answered.written()
}

func (plane) Create(key bench.Key, spec []byte) (uint64, error) {
	defer abi.Restore(abi.Used())
	planeCreate(key.Kind, key.Namespace, key.Name, lent(spec), unsafe.Pointer(&answered))
	return answered.written()
}

func (plane) Update(object bench.Object) (uint64, error) {
	defer abi.Restore(abi.Used())
	key := object.Key
	planeUpdate(key.Kind, key.Namespace, key.Name, object.ResourceVersion, lent(object.Spec), unsafe.Pointer(&answered))
	return answered.written()
}

func (plane) Delete(key bench.Key) error {
	defer abi.Restore(abi.Used())
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
	return abi.Word(answer.kind), nil
}

// refusal returns the error of the answer, or nil. Its value is in the place of an object's namespace.
func (answer *answer) refusal() error {
	if uint8(answer.isError) == 0 {
		return nil
	}
	value := answer.namespace
	switch uint8(abi.Word(answer.kind)) {
	case 0:
		return bench.ErrNotFound
	case 1:
		return bench.ConflictError{Version: abi.Word(value)}
	case 2:
		return bench.InvalidError{Reason: string(value.Bytes())}
	default:
		return bench.UnavailableError{Reason: string(value.Bytes())}
	}
}
