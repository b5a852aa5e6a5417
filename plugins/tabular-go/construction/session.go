package construction

import (
	"strings"

	"bench-host/sdk-go/bench"
)

// session constructs the objects of one set of arguments.
type session struct {
	model *model
	texts []string
	// expected is the digest of all objects, known from how the texts were made.
	expected uint64
	isColumn bool
	// isKept says whether the object with this number is kept.
	isKept func(object int) bool
	kept   []object
	// found is the digest of the objects of the last operation, and unresolved are the texts that stand for none.
	found, unresolved uint64
}

// Open opens the scenario `model`, and records what one operation keeps.
func Open(_ string, arguments bench.Values, host bench.Host) (bench.Session, error) {
	opened, err := newSession(arguments)
	if err != nil {
		return nil, err
	}
	opened.operation()
	retained := uint64(0)
	for index := range opened.kept {
		retained += opened.kept[index].bytes()
	}
	for _, once := range []struct {
		metric string
		sample uint64
	}{{"retained", retained}, {"kept", uint64(len(opened.kept))}} {
		series, err := host.Series(once.metric)
		if err != nil {
			return nil, err
		}
		series.Record(once.sample)
	}
	return opened, nil
}

func newSession(arguments bench.Values) (*session, error) {
	var classes, objects, sample int64
	for name, value := range map[string]*int64{"classes": &classes, "objects": &objects, "sample_size": &sample} {
		var err error
		if *value, err = arguments.Integer(name); err != nil {
			return nil, err
		}
	}
	var kind, goal, mode string
	for name, value := range map[string]*string{"kind": &kind, "metric_goal": &goal, "sample_mode": &mode} {
		var err error
		if *value, err = arguments.Text(name); err != nil {
			return nil, err
		}
	}
	made := &session{model: newModel(int(classes)), texts: make([]string, objects), isColumn: kind == "column"}
	made.isKept = retention(goal, mode, int(objects), int(sample))
	for number := range made.texts {
		text, path := known(number, int(classes))
		made.texts[number] = text
		made.expected += path.digest()
	}
	return made, nil
}

// retention returns which objects are kept.
func retention(goal, mode string, objects, sample int) func(int) bool {
	stride := (objects + sample - 1) / sample
	switch {
	case goal == "memory":
		return func(int) bool { return true }
	case mode == "head":
		return func(object int) bool { return object < sample }
	case mode == "stride":
		return func(object int) bool { return object%stride == 0 }
	default:
		return func(int) bool { return false }
	}
}

func (session *session) operation() {
	// What was kept before is garbage, as it is in Rust; the list itself keeps its size.
	clear(session.kept)
	session.kept = session.kept[:0]
	session.found, session.unresolved = 0, 0
	for number, text := range session.texts {
		path, known := session.model.resolve(text)
		if !known {
			session.unresolved++
			continue
		}
		made := object{path: path}
		if session.isColumn {
			made.heading = strings.ReplaceAll(text, ".", " > ")
		}
		session.found += made.path.digest()
		if session.isKept(number) {
			session.kept = append(session.kept, made)
		}
	}
}

// Iterate constructs all objects, times over.
func (session *session) Iterate(times uint64) (bench.Outcome, error) {
	for range times {
		session.operation()
	}
	return bench.Outcome{Operations: times, Checksum: session.found}, nil
}

// Verify compares the objects of the last operation with those that the texts were made from.
func (session *session) Verify() ([]bench.Check, error) {
	return []bench.Check{
		bench.Equal("resolved", 0, session.unresolved),
		bench.Equal("objects", session.expected, session.found),
	}, nil
}
