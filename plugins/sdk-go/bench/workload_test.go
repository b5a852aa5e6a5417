package bench_test

import (
	"testing"

	"bench-host/sdk-go/bench"
)

func TestAValueOfAnotherTypeIsAnError(t *testing.T) {
	values := bench.Values{{Name: "n", Value: bench.ValueOf(7)}, {Name: "mode", Value: bench.ValueOf("fast")}}
	if n, err := values.Integer("n"); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if mode, err := values.Text("mode"); mode != "fast" || err != nil {
		t.Errorf("%q, %v", mode, err)
	}
	for _, name := range []string{"mode", "m"} {
		if _, err := values.Integer(name); err == nil || err.Error() != "`"+name+"` is missing, or of another type" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACheckSaysWhatWasExpectedAndFound(t *testing.T) {
	if check := bench.Equal("sum", 3, 4); check.Passed || check.Detail != "expected 3, found 4" {
		t.Errorf("%+v", check)
	}
}
