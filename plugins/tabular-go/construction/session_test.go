package construction

import (
	"testing"

	"bench-host/sdk-go/bench"
)

// opened returns a session over 1,000 objects of 50 classes.
func opened(t *testing.T, kind, goal, mode string) *session {
	t.Helper()
	session, err := newSession(bench.Values{
		{Name: "classes", Value: bench.ValueOf(50)},
		{Name: "objects", Value: bench.ValueOf(1000)},
		{Name: "kind", Value: bench.ValueOf(kind)},
		{Name: "metric_goal", Value: bench.ValueOf(goal)},
		{Name: "sample_mode", Value: bench.ValueOf(mode)},
		{Name: "sample_size", Value: bench.ValueOf(64)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// failed returns how many checks failed.
func failed(t *testing.T, session *session) (count int) {
	t.Helper()
	checks, err := session.Verify()
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if !check.Passed {
			count++
		}
	}
	return count
}

func TestRetentionKeepsAsManyAsItSays(t *testing.T) {
	for _, test := range []struct {
		goal, mode string
		expect     int
	}{
		{"throughput", "none", 0},
		{"throughput", "head", 64},
		{"throughput", "stride", 63},
		{"memory", "none", 1000},
	} {
		for _, kind := range []string{"path", "column"} {
			session := opened(t, kind, test.goal, test.mode)
			if _, err := session.Iterate(2); err != nil {
				t.Fatal(err)
			}
			if kept := len(session.kept); kept != test.expect || failed(t, session) != 0 {
				t.Errorf("%s %s %s: %d kept, %d checks failed", test.goal, test.mode, kind, kept, failed(t, session))
			}
		}
	}
}

func TestAPathThatIsNotInTheModelFailsBothChecks(t *testing.T) {
	session := opened(t, "path", "throughput", "none")
	session.texts[3] = "Class1.reference9.attribute0"
	session.operation()
	if failed(t, session) != 2 {
		t.Error("the checks do not depend on the objects")
	}
	for _, text := range []string{"Class1", "Class99.attribute0", "Class1.attribute99", "", "Class1.reference0"} {
		if path, known := session.model.resolve(text); known {
			t.Errorf("%q is %v", text, path)
		}
	}
}

func TestObjectsAreThoseOfTheOtherLanguage(t *testing.T) {
	text, path := known(7, 50)
	if text != "Class17.reference3.reference0.reference1.attribute7" {
		t.Error(text)
	}
	if got := path.classes; len(got) != 4 || got[0] != 17 || got[1] != 9 || got[2] != 14 || got[3] != 12 {
		t.Error(got)
	}
}
