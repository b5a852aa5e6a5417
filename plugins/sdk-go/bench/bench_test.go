package bench

import (
	"encoding/json"
	"testing"
)

func TestATextIsQuotedAsJSON(t *testing.T) {
	for _, text := range []string{"", "plain", "\"\\/\n\x00\x1f\x7f", "é\u2028😀", "\xff"} {
		quoted := Quote(nil, text)
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil || back != string([]rune(text)) {
			t.Errorf("%q became %s, which is %q (%v)", text, quoted, back, err)
		}
	}
}

func TestBuildersLeaveWhatTheyBeganWith(t *testing.T) {
	begun := NewScenario("s", "f", "").Requires("a", "").Requires("b", "").Requires("c", "")
	one, other := begun.CanUse("one", ""), begun.CanUse("other", "")
	if one.Requirements[3].Capability != "one" || other.Requirements[3].Capability != "other" || len(begun.Requirements) != 3 {
		t.Error(one, other, begun)
	}
}

func TestAValueOfAnotherTypeIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	NewParameter("n", uint8(1), "")
}
