package relay

import (
	"fmt"
	"reflect"
	"testing"
)

func started(t *testing.T) Relay {
	t.Helper()
	var relay Relay
	if err := relay.Start(map[string]string{"watch": "a", "apply": "b"}); err != nil {
		t.Fatal(err)
	}
	return relay
}

// handle has the relay see a spec and expects what it applies, or else the error.
func handle(t *testing.T, relay *Relay, spec, expect string) {
	t.Helper()
	nonce, applied, err := relay.Spec("x", spec)
	if err != nil {
		applied = err.Error()
	} else {
		relay.Handled(nonce)
	}
	if applied != expect {
		t.Errorf("%s: %s instead of %s", spec, applied, expect)
	}
}

func TestEachNonceIsAppliedWithItsNumber(t *testing.T) {
	relay := started(t)
	handle(t, &relay, `{"nonce":5}`, `{"nonce":5,"count":1}`)
	handle(t, &relay, `{"count":9}`, "x: it has no nonce")
	handle(t, &relay, `{"count":9,"nonce":18446744073709551615}`, `{"nonce":18446744073709551615,"count":2}`)
}

func TestWhatIsResumedIsWhatWasSuspended(t *testing.T) {
	for _, nonces := range []int{0, 1, noncesKept, noncesKept + 3} {
		relay := started(t)
		for nonce := range nonces {
			handle(t, &relay, fmt.Sprintf(`{"nonce":%d}`, nonce), fmt.Sprintf(`{"nonce":%d,"count":%d}`, nonce, nonce+1))
		}
		var resumed Relay
		if err := resumed.Resume(relay.Suspend()); err != nil || !reflect.DeepEqual(resumed, relay) {
			t.Errorf("%+v instead of %+v (%v)", resumed, relay, err)
		}
	}
}

func TestAStateThatIsNotWholeIsRefused(t *testing.T) {
	for _, state := range []string{
		"", "1\na\nb\n0", "2\na\nb\n0\n", "1\n\nb\n0\n", "1\na\nb\nx\n", "1\na\nb\n1\n", "1\na\nb\n0\n5", "1\na\nb\n1\n-1",
	} {
		if new(Relay).Resume([]byte(state)) == nil {
			t.Errorf("%q was taken", state)
		}
	}
}

func TestWithoutItsNamespacesItDoesNotStart(t *testing.T) {
	err := new(Relay).Start(map[string]string{"watch": "a"})
	if err == nil || err.Error() != "the argument `apply` names no namespace" {
		t.Error(err)
	}
}
