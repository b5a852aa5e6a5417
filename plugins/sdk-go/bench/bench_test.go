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

func TestAFieldIsFoundInAnObjectAlone(t *testing.T) {
	for text, expect := range map[string]string{
		`{"n":5}`: "5",
		" {\n\"a\" : [ 1 , {\"n\" : 7 } , \"n\\\"\" ] , \"n\" : -0.5e+7 } ": "-0.5e+7",
		`{"n":{"a":[]},"b":true,"c":false,"d":null}`:                        `{"a":[]}`,
		`{"n":1,"n":2}`: "2",
		`{}`:            "", `{"m":1}`: "",
		``: "refused", `{"n":5`: "refused", `{"n":5}}`: "refused", `{"n":05}`: "refused", `{"n":5,}`: "refused",
		`{"n":}`: "refused", `{"n"}`: "refused", `{n:5}`: "refused", `{"n":"`: "refused", `{"n":"\`: "refused", `{"n":1.}`: "refused",
		`{"n":1e}`: "refused", `{"n":-}`: "refused", `[1]`: "refused", `{"n":[1}`: "refused", `{"n":tru}`: "refused", "{\"n\":\"\n\"}": "refused",
	} {
		value, err := Field([]byte(text), "n")
		if (expect == "refused") != (err != nil) || (err == nil && string(value) != expect) {
			t.Errorf("%s: %s (%v) instead of %s", text, value, err, expect)
		}
		if (err == nil) != (json.Valid([]byte(text)) && text[0] != '[') {
			t.Errorf("%s: Go's own decoder thinks otherwise", text)
		}
	}
	object := []byte(`{"a":[1,{"b":2}],"n":5}`)
	if made := testing.AllocsPerRun(100, func() { _, _ = Field(object, "n") }); made != 0 {
		t.Errorf("%v allocations", made)
	}
}
