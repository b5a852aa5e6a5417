package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bench-host/sdk-go/bench"
)

// Serve runs an operator for the host at the other end of a connection, until that is closed.
func Serve(host io.ReadWriter, operator bench.Operator) error {
	lines := json.NewEncoder(host)
	lines.SetEscapeHTML(false)
	plane := &plane{input: bufio.NewReader(host), output: lines}
	for {
		var asked call
		switch err := plane.read(&asked); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		ended, err := perform(operator, plane, asked)
		if err == nil {
			// An error of the connection takes precedence over that of the operator.
			err = plane.broken
		}
		if err == nil {
			err = plane.output.Encode(ended)
		}
		if err != nil {
			return err
		}
	}
}

// perform executes a call of the host on the operator. An error is the host's, and ends the program.
func perform(operator bench.Operator, plane *plane, asked call) (end, error) {
	done := map[string]any{}
	var err error
	switch asked.Call {
	case "start":
		done["watches"], err = start(operator, plane, asked.Arguments)
	case "reconcile":
		event, wrong := asked.Event.event()
		if wrong != nil {
			return end{}, wrong
		}
		err = operator.Reconcile(plane, event)
	case "suspend":
		// An operator without state has an empty state, not a missing one.
		done["state"] = append([]byte{}, operator.Suspend()...)
	case "resume":
		err = operator.Resume(asked.State)
	default:
		return end{}, fmt.Errorf("the host sent the unknown call `%s`; build this program against the host's version of the SDK", asked.Call)
	}
	if err != nil {
		return end{Error: err.Error()}, nil
	}
	return end{Done: done}, nil
}

func start(operator bench.Operator, plane *plane, arguments [][2]string) ([]watch, error) {
	given := make(bench.Arguments, len(arguments))
	for index, argument := range arguments {
		given[index] = bench.Argument{Name: argument[0], Value: argument[1]}
	}
	wanted, err := operator.Start(plane, given)
	watches := make([]watch, len(wanted))
	for index, one := range wanted {
		watches[index] = watch(one)
	}
	return watches, err
}

// plane is the control plane behind the connection.
type plane struct {
	input  *bufio.Reader
	output *json.Encoder
	// broken is the reason why the connection can no longer be used.
	broken error
}

func (plane *plane) Get(key bench.Key) (bench.Object, error) {
	return plane.object(request{"get", objectOf(key, 0, nil)})
}

func (plane *plane) Apply(key bench.Key, spec []byte) (uint64, error) {
	return plane.written(request{"apply", objectOf(key, 0, spec)})
}

func (plane *plane) Create(key bench.Key, spec []byte) (uint64, error) {
	return plane.written(request{"create", objectOf(key, 0, spec)})
}

func (plane *plane) Update(object bench.Object) (uint64, error) {
	return plane.written(request{"update", objectOf(object.Key, object.ResourceVersion, object.Spec)})
}

func (plane *plane) Delete(key bench.Key) error {
	answer, err := plane.ask(request{"delete", objectOf(key, 0, nil)})
	if err == nil && !answer.Removed {
		return plane.breaks(errors.New("the host answered neither that the object was removed nor with an error"))
	}
	return err
}

func (plane *plane) object(asked request) (bench.Object, error) {
	answer, err := plane.ask(asked)
	if err != nil {
		return bench.Object{}, err
	}
	if answer.Object == nil {
		return bench.Object{}, plane.breaks(errors.New("the host answered with neither an object nor an error"))
	}
	return answer.Object.object(), nil
}

func (plane *plane) written(asked request) (uint64, error) {
	object, err := plane.object(asked)
	return object.ResourceVersion, err
}

// ask sends a request and waits for its answer.
func (plane *plane) ask(asked request) (answer, error) {
	if plane.broken != nil {
		return answer{}, unreachable(plane.broken)
	}
	var given answer
	if len(asked.Object.Spec) > 0 && !json.Valid(asked.Object.Spec) {
		return given, bench.InvalidError{Reason: "the spec is not valid JSON"}
	}
	if err := plane.output.Encode(asked); err != nil {
		return given, plane.breaks(err)
	}
	if err := plane.read(&given); err != nil {
		return given, plane.breaks(err)
	}
	return given, given.refusal()
}

// breaks notes that the connection can no longer be used, and returns the error for the operator.
func (plane *plane) breaks(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	plane.broken = err
	return unreachable(err)
}

func unreachable(err error) error {
	return bench.UnavailableError{Reason: fmt.Sprintf("the host cannot be reached: %v", err)}
}

// read takes the next line.
func (plane *plane) read(to any) error {
	line, err := plane.input.ReadBytes('\n')
	if err != nil {
		if len(line) > 0 {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if err := json.Unmarshal(line, to); err != nil {
		return fmt.Errorf("the host sent a malformed line: %w", err)
	}
	return nil
}
