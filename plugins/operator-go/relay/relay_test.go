package relay

import (
	"fmt"
	"reflect"
	"testing"

	"bench-host/sdk-go/bench"
)

// kept is a control plane that records writes as `namespace/name spec`; it refuses them on request.
type kept struct {
	bench.Plane
	applied []string
	refuses bool
}

func (plane *kept) Apply(key bench.Key, spec []byte) (uint64, error) {
	if plane.refuses {
		return 0, bench.ConflictError{Version: 7}
	}
	plane.applied = append(plane.applied, fmt.Sprintf("%s/%s %s", key.Namespace, key.Name, spec))
	return uint64(len(plane.applied)), nil
}

func started(t *testing.T) *Relay {
	t.Helper()
	relay := new(Relay)
	watches, err := relay.Start(nil, bench.Arguments{{Name: "watch", Value: "a"}, {Name: "apply", Value: "b"}})
	if err != nil || !reflect.DeepEqual(watches, []bench.Watch{{Kind: kind, Namespace: "a"}}) {
		t.Fatal(watches, err)
	}
	return relay
}

// check has the relay see a spec and expects this error, or none.
func check(t *testing.T, relay *Relay, plane bench.Plane, spec, expect string) {
	t.Helper()
	object := bench.Object{Key: bench.Key{Kind: kind, Namespace: "a", Name: "x"}, ResourceVersion: 1, Spec: []byte(spec)}
	err := relay.Reconcile(plane, bench.Event{Type: bench.Modified, Object: object})
	if (err == nil) != (expect == "") || (err != nil && err.Error() != expect) {
		t.Errorf("%s: %v instead of %s", spec, err, expect)
	}
}

func TestEachTokenIsAppliedWithItsNumber(t *testing.T) {
	relay, plane := started(t), new(kept)
	check(t, relay, plane, `{"nonce":5}`, "")
	check(t, relay, plane, `{"count":9,"nonce":18446744073709551615}`, "")
	if err := relay.Reconcile(plane, bench.Event{Type: bench.Deleted}); err != nil {
		t.Error(err)
	}
	expect := []string{`b/x {"nonce":5,"count":1}`, `b/x {"nonce":18446744073709551615,"count":2}`}
	if !reflect.DeepEqual(plane.applied, expect) {
		t.Errorf("%q instead of %q", plane.applied, expect)
	}
}

func TestAFailedWriteIsNotCounted(t *testing.T) {
	relay, plane := started(t), &kept{refuses: true}
	check(t, relay, plane, `{"nonce":5}`, "b/x: conflict with version 7: read it again")
	check(t, relay, plane, `{"count":9}`, "x: the spec has no `nonce`")
	check(t, relay, plane, `{"nonce":null}`, "x: the spec has no `nonce`")
	check(t, relay, plane, `{"nonce":5`, "x: not a JSON object")
	plane.refuses = false
	check(t, relay, plane, `{"nonce":5}`, "")
	if expect := []string{`b/x {"nonce":5,"count":1}`}; !reflect.DeepEqual(plane.applied, expect) {
		t.Errorf("%q instead of %q", plane.applied, expect)
	}
}

func TestAResumedOperatorEqualsTheSuspendedOne(t *testing.T) {
	for _, nonces := range []int{0, 1, noncesKept, noncesKept + 3} {
		relay := started(t)
		for nonce := range nonces {
			check(t, relay, new(kept), fmt.Sprintf(`{"nonce":%d}`, nonce), "")
		}
		resumed := new(Relay)
		relay.spec = nil
		if err := resumed.Resume(relay.Suspend()); err != nil || !reflect.DeepEqual(resumed, relay) {
			t.Errorf("%+v instead of %+v (%v)", resumed, relay, err)
		}
	}
}

func TestAnIncompleteStateIsRefused(t *testing.T) {
	for _, state := range []string{
		"", "1\na\nb\n0", "2\na\nb\n0\n", "1\n\nb\n0\n", "1\na\nb\nx\n", "1\na\nb\n1\n", "1\na\nb\n0\n5", "1\na\nb\n1\n-1",
	} {
		if new(Relay).Resume([]byte(state)) == nil {
			t.Errorf("%q was accepted", state)
		}
	}
}

func TestAMissingNamespacePreventsTheStart(t *testing.T) {
	_, err := new(Relay).Start(nil, bench.Arguments{{Name: "watch", Value: "a"}})
	if err == nil || err.Error() != "the argument `apply` is not a valid namespace" {
		t.Error(err)
	}
}
