package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"bench-host/sdk-go/bench"
)

// tester is an operator that does with each object what its name says, and keeps what it has seen of the control plane.
type tester struct {
	seen []string
}

func (tester *tester) Start(plane bench.Plane, arguments bench.Arguments) ([]bench.Watch, error) {
	watched, found := arguments.Get("watch")
	if !found {
		return nil, errors.New("the argument `watch` is lacking")
	}
	tester.see(plane.Get(bench.Key{Kind: "K", Namespace: watched, Name: "x"}))
	return []bench.Watch{{Kind: "K", Namespace: watched}}, nil
}

func (tester *tester) Reconcile(plane bench.Plane, event bench.Event) error {
	object := event.Object
	switch object.Key.Name {
	case "apply":
		tester.wrote(plane.Apply(object.Key, []byte(`{"a": "<"}`)))
	case "create":
		tester.wrote(plane.Create(object.Key, object.Spec))
	case "update":
		tester.wrote(plane.Update(object))
	case "delete":
		return plane.Delete(object.Key)
	case "crooked":
		tester.wrote(plane.Apply(object.Key, []byte(`{"a"`)))
	case "twice":
		tester.see(plane.Get(object.Key))
		tester.see(plane.Get(object.Key))
	}
	return nil
}

func (tester *tester) see(object bench.Object, err error) {
	tester.seen = append(tester.seen, fmt.Sprintf("%s %d %s %v", object.Key.Name, object.ResourceVersion, object.Spec, err))
}

func (tester *tester) wrote(version uint64, err error) {
	tester.seen = append(tester.seen, fmt.Sprint(version, err))
}

func (tester *tester) Suspend() []byte {
	return []byte(strings.Join(tester.seen, "\n"))
}

func (tester *tester) Resume(state []byte) error {
	if len(state) == 0 {
		return errors.New("the state is empty")
	}
	tester.seen = strings.Split(string(state), "\n")
	return nil
}

// served is what the host hears, a line each, when it says the lines and hangs up; and what has become of the operator.
func served(t *testing.T, operator bench.Operator, lines string) (heard string, err error) {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	host, guest := os.NewFile(uintptr(pair[0]), "host"), os.NewFile(uintptr(pair[1]), "guest")
	defer host.Close()
	served := make(chan error, 1)
	go func() {
		defer guest.Close()
		served <- Serve(guest, operator)
	}()
	input := bufio.NewReader(host)
	for _, line := range strings.SplitAfter(lines, "\n") {
		if _, err := host.WriteString(line); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(line, "\n") {
			break
		}
		answer, err := input.ReadString('\n')
		if err != nil {
			break
		}
		heard += answer
	}
	if err := syscall.Shutdown(pair[0], syscall.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	return heard, <-served
}

// check expects, of every line that the host says, the line that it hears.
func check(t *testing.T, exchange ...string) {
	t.Helper()
	var said, expect string
	for index, line := range exchange {
		if index%2 == 0 {
			said += line + "\n"
		} else {
			expect += line + "\n"
		}
	}
	heard, err := served(t, new(tester), said)
	if heard != expect || err != nil {
		t.Errorf("(%v)\n%sinstead of\n%s", err, heard, expect)
	}
}

func seen(kind, name, rest string) string {
	return fmt.Sprintf(`{"call":"reconcile","event":{"type":"%s","object":{"kind":"K","namespace":"a","name":"%s","resourceVersion":4%s}}}`,
		kind, name, rest)
}

func TestAnOperatorIsStartedAndSuspended(t *testing.T) {
	check(t,
		`{"call":"start","arguments":[["watch","a"],["apply","b"]]}`,
		`{"plane":"get","object":{"kind":"K","namespace":"a","name":"x"}}`,
		`{"refused":"notFound","message":"x"}`,
		`{"done":{"watches":[{"kind":"K","namespace":"a"}]}}`,
		`{"call":"suspend"}`,
		`{"done":{"state":"IDAgIHRoZXJlIGlzIG5vIHN1Y2ggb2JqZWN0"}}`,
	)
}

func TestWhatFailsSaysWhy(t *testing.T) {
	check(t,
		`{"call":"start","arguments":[]}`, "{\"error\":\"the argument `watch` is lacking\"}",
		`{"call":"resume","state":""}`, `{"error":"the state is empty"}`,
		`{"call":"suspend"}`, `{"done":{"state":""}}`,
		`{"call":"resume","state":"YQ=="}`, `{"done":{}}`,
		`{"call":"suspend"}`, `{"done":{"state":"YQ=="}}`,
	)
}

func TestEveryRequestHasAForm(t *testing.T) {
	answer := `{"object":{"kind":"K","namespace":"a","name":"n","resourceVersion":18446744073709551615,"spec":{"a":18446744073709551615}}}`
	check(t,
		seen("ADDED", "apply", `,"spec":{}`),
		`{"plane":"apply","object":{"kind":"K","namespace":"a","name":"apply","spec":{"a":"<"}}}`,
		answer, `{"done":{}}`,
		seen("MODIFIED", "create", `,"spec":{"b":1}`),
		`{"plane":"create","object":{"kind":"K","namespace":"a","name":"create","spec":{"b":1}}}`,
		answer, `{"done":{}}`,
		seen("MODIFIED", "update", `,"spec":{"b":1}`),
		`{"plane":"update","object":{"kind":"K","namespace":"a","name":"update","resourceVersion":4,"spec":{"b":1}}}`,
		answer, `{"done":{}}`,
		seen("DELETED", "delete", ""),
		`{"plane":"delete","object":{"kind":"K","namespace":"a","name":"delete"}}`,
		`{"removed":true}`, `{"done":{}}`,
		seen("MODIFIED", "none", `,"spec":{}`), `{"done":{}}`,
	)
}

func TestARefusalIsAnErrorOfTheControlPlane(t *testing.T) {
	for refusal, expect := range map[string]string{
		`{"refused":"notFound"}`:                              "there is no such object",
		`{"refused":"conflict","version":7}`:                  "conflict with version 7: read it again",
		`{"refused":"invalid","message":"no such field"}`:     "no such field",
		`{"refused":"unavailable","message":"come tomorrow"}`: "come tomorrow",
	} {
		check(t,
			seen("DELETED", "delete", ""),
			`{"plane":"delete","object":{"kind":"K","namespace":"a","name":"delete"}}`,
			refusal, `{"error":"`+expect+`"}`,
		)
	}
}

func TestASpecThatIsNoJSONIsNotSent(t *testing.T) {
	check(t,
		seen("ADDED", "crooked", `,"spec":{}`), `{"done":{}}`,
		`{"call":"suspend"}`, `{"done":{"state":"MCB0aGUgc3BlYyBpcyBub3QgdmFsaWQgSlNPTg=="}}`,
	)
}

func TestAConnectionThatBreaksEndsTheProgram(t *testing.T) {
	get := `{"plane":"get","object":{"kind":"K","namespace":"a","name":"twice"}}` + "\n"
	for said, expect := range map[string]string{
		`{"call":"dance"}` + "\n":     "the host sent the unknown call `dance`; build this program against the host's version of the SDK",
		`{"call":"reconcile"}` + "\n": "the host called `reconcile` without an event",
		"{}}\n":                       "the host sent a malformed line: invalid character '}' after top-level value",
		`{"call"`:                     "unexpected EOF",
		seen("MOVED", "x", "") + "\n": "the host sent the unknown event `MOVED`; build this program against the host's version of the SDK",
		seen("ADDED", "twice", `,"spec":{}`) + "\n":                "unexpected EOF",
		seen("ADDED", "twice", `,"spec":{}`) + "\n{\"refused\":\"": "unexpected EOF",
		seen("ADDED", "twice", `,"spec":{}`) + "\n{}\n":            "the host answered with neither an object nor an error",
		seen("ADDED", "delete", `,"spec":{}`) + "\n{}\n":           "the host answered neither that the object was removed nor with an error",
	} {
		heard, err := served(t, new(tester), said)
		if err == nil || err.Error() != expect {
			t.Errorf("%s: %v instead of %s", said, err, expect)
		}
		if strings.Contains(said, "twice") && heard != get {
			t.Errorf("%s: %s instead of one request", said, heard)
		}
	}
}

func TestAHostThatHangsUpHasHadEnough(t *testing.T) {
	if heard, err := served(t, new(tester), ""); heard != "" || err != nil {
		t.Errorf("%q, %v", heard, err)
	}
}
