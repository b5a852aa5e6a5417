// Package construction resolves paths such as `Class1.reference0.attribute3` against a model of classes. Model, paths and digests are those
// of the plug-in `tabular` in Rust, so that both construct the same objects.
package construction

import (
	"strconv"
	"strings"
	"unsafe"
)

const (
	// attributes and references are what every class has.
	attributes = 12
	references = 4
	// stepsMax is the most steps from class to class in a path.
	stepsMax = 3
)

// class has the numbers of attributes, and of the classes that references lead to.
type class struct {
	attributes map[string]uint32
	references map[string]uint32
}

// model has the numbers of classes by name, and the classes by number.
type model struct {
	names   map[string]uint32
	classes []class
}

func newModel(classes int) *model {
	made := &model{names: make(map[string]uint32, classes), classes: make([]class, classes)}
	for number := range classes {
		made.names["Class"+strconv.Itoa(number)] = uint32(number)
		one := class{make(map[string]uint32, attributes), make(map[string]uint32, references)}
		for at := range attributes {
			one.attributes["attribute"+strconv.Itoa(at)] = uint32(at)
		}
		for at := range references {
			one.references["reference"+strconv.Itoa(at)] = uint32(follow(number, at, classes))
		}
		made.classes[number] = one
	}
	return made
}

// follow returns the class that a reference leads to.
func follow(class, reference, classes int) int {
	return (class*7 + reference*13 + 1) % classes
}

// path is a resolved path: the classes that it leads through, and the attribute at its end.
type path struct {
	classes   []uint32
	attribute uint32
}

// resolve returns the path that the text stands for, if every part of it exists.
func (model *model) resolve(text string) (path, bool) {
	name, rest, isPath := strings.Cut(text, ".")
	at, known := model.names[name]
	if !isPath || !known {
		return path{}, false
	}
	classes := []uint32{at}
	for {
		part, further, isReference := strings.Cut(rest, ".")
		if !isReference {
			attribute, known := model.classes[at].attributes[part]
			return path{classes, attribute}, known
		}
		if at, known = model.classes[at].references[part]; !known {
			return path{}, false
		}
		classes = append(classes, at)
		rest = further
	}
}

// digest depends on all classes and on the attribute.
func (path path) digest() uint64 {
	digest := uint64(0)
	for _, class := range path.classes {
		digest = digest*31 + uint64(class) + 1
	}
	return digest*31 + uint64(path.attribute)
}

// object is a path, or a column if it has a heading.
type object struct {
	path    path
	heading string
}

// bytes is its own size and that of what it owns.
func (object *object) bytes() uint64 {
	classes := cap(object.path.classes) * int(unsafe.Sizeof(uint32(0)))
	return uint64(int(unsafe.Sizeof(*object)) + classes + len(object.heading))
}

// known returns the text of an object, and the path that it must become, made without the tables of a model.
func known(object, classes int) (string, path) {
	class := object * 31 % classes
	text := "Class" + strconv.Itoa(class)
	made := path{[]uint32{uint32(class)}, uint32(object % attributes)}
	for step := range object % (stepsMax + 1) {
		reference := (object + step) % references
		text += ".reference" + strconv.Itoa(reference)
		class = follow(class, reference, classes)
		made.classes = append(made.classes, uint32(class))
	}
	return text + ".attribute" + strconv.Itoa(int(made.attribute)), made
}
