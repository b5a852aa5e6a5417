package bench

// Operator acts on the events of what it watches. There is one value for each operator, and its methods are called one after the
// other. An error is one line for a person.
type Operator interface {
	// Start is called once, before anything else; it says which watches' events are to be reconciled.
	Start(plane Plane, arguments Arguments) ([]Watch, error)
	// Reconcile does what an event asks for. It is called with the same event again, later, where it has failed.
	Reconcile(plane Plane, event Event) error
	// Suspend gives what is to be kept while the operator is unloaded. It is dropped afterwards.
	Suspend() []byte
	// Resume is called on a new operator in place of Start, with what Suspend gave, which is lent until it returns.
	Resume(state []byte) error
}

// Plane is the control plane as one operator sees it. What is written is seen by watches once the operator has returned. An error
// is ErrNotFound, a ConflictError, an InvalidError or an UnavailableError.
type Plane interface {
	// Get gives the object as it is now.
	Get(key Key) (Object, error)
	// Apply says what the fields of spec, a JSON object, are to be, and makes the object where there is none; the version it has
	// then. What this operator applied before and does not name any more is removed; what changes nothing is no write.
	Apply(key Key, spec []byte) (version uint64, err error)
	// Create makes an object that is not there yet; its version.
	Create(key Key, spec []byte) (version uint64, err error)
	// Update replaces the object, unless it was written since it had the version of the one given; the version it has then.
	Update(object Object) (version uint64, err error)
	// Delete removes the object.
	Delete(key Key) error
}

// Key says which object.
type Key struct {
	// Kind is its type: `TestResource` and the like.
	Kind string
	// Namespace is where names are unique for its type.
	Namespace string
	// Name is its name there.
	Name string
}

// Object is an object at one version.
type Object struct {
	Key Key
	// ResourceVersion grows with every write, of whichever object.
	ResourceVersion uint64
	// Spec is what is wanted of it: a JSON object. That of an event is lent until Reconcile returns.
	Spec []byte
}

// Event is what became of an object that is watched.
type Event struct {
	Type EventType
	// Object is it; one that was deleted has no spec, and the version at which it went.
	Object Object
}

// EventType says what became of it.
type EventType uint8

// The events, in the order that the host's interface has them.
const (
	// Added is a new object, or one that was there when the watch began.
	Added EventType = iota
	// Modified is one that was written.
	Modified
	// Deleted is one that is gone.
	Deleted
)

// Watch says which events are wanted: those of a kind in a namespace.
type Watch struct {
	Kind      string
	Namespace string
}

// Argument is a name and a value.
type Argument struct {
	Name, Value string
}

// Arguments are what an operator is started with.
type Arguments []Argument

// Get gives the value of the argument of this name, and whether there is one.
func (arguments Arguments) Get(name string) (value string, found bool) {
	for _, argument := range arguments {
		if argument.Name == name {
			return argument.Value, true
		}
	}
	return "", false
}
