package bench

// Operator reacts to the events of the objects that it watches. There is one value per operator, and its methods are called one after
// the other. An error is one line of text for users.
//
// The scenario `chain` links operators: each copies the objects of the namespace that it watches into the one that the next operator
// watches. The contract of an operator in it:
//
//   - It is started with the arguments `watch`, the namespace to watch, and `apply`, the namespace to write into, and with the
//     parameters that the module declares beyond those of the driver.
//   - Objects in both namespaces are of the kind `TestResource`. The spec of one that it sees has the field `nonce`, a whole number of
//     up to 64 bits, by which the host knows the token; fields with other names are to be ignored.
//   - For each object that was added or modified it applies one of the same kind and name in the namespace `apply`, whose spec is
//     `{"nonce":N,"count":C}`: the same nonce, and how many objects this operator has applied, this one included. An event that is
//     delivered again after an error counts once.
//   - The count goes on after Resume, which shows the host that the operator kept its state. A deleted object asks for nothing.
type Operator interface {
	// Start is called once, before all other methods; it returns the watches whose events are reconciled.
	Start(plane Plane, arguments Arguments) ([]Watch, error)
	// Reconcile handles an event. If it fails, it is called again later with the same event.
	Reconcile(plane Plane, event Event) error
	// Suspend returns the state that is kept while the operator is unloaded. The operator is dropped afterwards.
	Suspend() []byte
	// Resume is called on a new operator instead of Start, with the state from Suspend, which is valid until Resume returns.
	Resume(state []byte) error
}

// Plane is the control plane for one operator. Watches see writes after the operator has returned. An error is ErrNotFound, a
// ConflictError, an InvalidError or an UnavailableError.
type Plane interface {
	// Get returns the current object.
	Get(key Key) (Object, error)
	// Apply sets the fields of spec, a JSON object, and creates the object if it does not exist; returns the new version. Fields
	// that this operator applied before and does not name any more are removed. If nothing changes, nothing is written.
	Apply(key Key, spec []byte) (version uint64, err error)
	// Create creates an object that does not exist yet; returns its version.
	Create(key Key, spec []byte) (version uint64, err error)
	// Update replaces the object, unless it was written after the given version; returns the new version.
	Update(object Object) (version uint64, err error)
	// Delete removes the object.
	Delete(key Key) error
}

// Key identifies an object.
type Key struct {
	// Kind is its type, such as `TestResource`.
	Kind string
	// Namespace is the scope in which names are unique for its type.
	Namespace string
	// Name is its name in the namespace.
	Name string
}

// Object is one version of an object.
type Object struct {
	Key Key
	// ResourceVersion grows with every write of any object.
	ResourceVersion uint64
	// Spec is the desired state: a JSON object. The spec of an event is valid until Reconcile returns.
	Spec []byte
}

// Event is a change of a watched object.
type Event struct {
	Type EventType
	// Object is the changed object. A deleted one has no spec, and the version of its deletion.
	Object Object
}

// EventType is the kind of change.
type EventType uint8

// The kinds of events, in the order of the WIT.
const (
	// Added is a new object, or one that existed when the watch began.
	Added EventType = iota
	// Modified is an object that was written.
	Modified
	// Deleted is an object that was removed.
	Deleted
)

// Watch selects events: those of a kind in a namespace.
type Watch struct {
	Kind      string
	Namespace string
}

// Argument is a name and a value.
type Argument struct {
	Name, Value string
}

// Arguments are the arguments that an operator is started with.
type Arguments []Argument

// Get returns the value of the argument with this name, and whether there is one.
func (arguments Arguments) Get(name string) (value string, found bool) {
	for _, argument := range arguments {
		if argument.Name == name {
			return argument.Value, true
		}
	}
	return "", false
}
