//go:build wasip1

package export_bench_host_operator_operator

import (
	"bench-host/bindings/bench_host_operator_control_plane"
	"bench-host/bindings/bench_host_operator_types"
	"bench-host/sdk-go/bench"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
)

// plane is the control plane that the host gives to this instance.
type plane struct{}

func (plane) Get(key bench.Key) (bench.Object, error) {
	return given(bench_host_operator_control_plane.Get(bench_host_operator_types.Key(key)))
}

func (plane) Apply(key bench.Key, spec string) (bench.Object, error) {
	return given(bench_host_operator_control_plane.Apply(bench_host_operator_types.Key(key), spec))
}

func (plane) Create(key bench.Key, spec string) (bench.Object, error) {
	return given(bench_host_operator_control_plane.Create(bench_host_operator_types.Key(key), spec))
}

func (plane) Update(object bench.Object) (bench.Object, error) {
	key := bench_host_operator_types.Key(object.Key)
	return given(bench_host_operator_control_plane.Update(bench_host_operator_types.Object{
		Key: key, ResourceVersion: object.ResourceVersion, Spec: object.Spec,
	}))
}

func (plane) Delete(key bench.Key) error {
	deleted := bench_host_operator_control_plane.Delete(bench_host_operator_types.Key(key))
	if deleted.IsErr() {
		return refusal(deleted.Err())
	}
	return nil
}

func given(answer witTypes.Result[bench_host_operator_types.Object, bench_host_operator_types.Error]) (bench.Object, error) {
	if answer.IsErr() {
		return bench.Object{}, refusal(answer.Err())
	}
	return object(answer.Ok()), nil
}

func object(object bench_host_operator_types.Object) bench.Object {
	return bench.Object{Key: bench.Key(object.Key), ResourceVersion: object.ResourceVersion, Spec: object.Spec}
}

func refusal(err bench_host_operator_types.Error) error {
	switch err.Tag() {
	case bench_host_operator_types.ErrorNotFound:
		return bench.ErrNotFound
	case bench_host_operator_types.ErrorConflict:
		return bench.ConflictError{Version: err.Conflict()}
	case bench_host_operator_types.ErrorInvalid:
		return bench.InvalidError{Reason: err.Invalid()}
	default:
		return bench.UnavailableError{Reason: err.Unavailable()}
	}
}
