// The bindings that are generated are in a module of this name, and so is what goes beside them.
module wit_component

go 1.25
