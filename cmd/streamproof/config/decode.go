package config

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// values are the ways in which values are written, by the tag value of their fields.
// Each type reads itself, describes itself to editors, and converts to its field.
var values = map[string]reflect.Type{
	"limit": reflect.TypeFor[Limit](), "rate": reflect.TypeFor[Rate](), "size": reflect.TypeFor[Size](),
	"port": reflect.TypeFor[Port](), "share": reflect.TypeFor[Share](), "factor": reflect.TypeFor[Factor](),
	"dialect": reflect.TypeFor[Dialect](), "form": reflect.TypeFor[Form](), "hop": reflect.TypeFor[Hop](),
	"expectation": reflect.TypeFor[Expectation](), "id": reflect.TypeFor[ID](), "env": reflect.TypeFor[Env](),
	"command": reflect.TypeFor[Command](), "arrivals": reflect.TypeFor[Arrivals](), "target": reflect.TypeFor[Target](),
	"think": reflect.TypeFor[Think](),
}

// valueOf is how the value of a field is written; nil where the field itself says it.
func valueOf(t reflect.Type, tag string) reflect.Type {
	switch {
	case values[tag] != nil:
		return values[tag]
	case t == reflect.TypeFor[time.Duration]():
		return reflect.TypeFor[Duration]()
	case t.PkgPath() == "" && (t.Kind() == reflect.Int || t.Kind() == reflect.Int64):
		return reflect.TypeFor[Count]()
	case t.PkgPath() == "" && t.Kind() == reflect.Float64:
		return reflect.TypeFor[Amount]()
	}
	return nil
}

// decode reads n into v, as the tag value of its field says. What n does not name stays
// as it is.
func (f *File) decode(n ast.Node, v reflect.Value, tag string) error {
	if _, ok := n.(*ast.NullNode); ok {
		return nil
	}
	if as := valueOf(v.Type(), tag); as != nil {
		x := reflect.New(as)
		if err := yaml.NodeToValue(n, x.Interface()); err != nil {
			return err
		}
		v.Set(x.Elem().Convert(v.Type()))
		return nil
	}
	_, own := v.Addr().Interface().(yaml.NodeUnmarshaler)
	switch {
	case tag == "plain" || own:
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.decode(n, v.Elem(), "")
	case v.Kind() == reflect.Struct:
		if tag == "whole" {
			v.SetZero()
		}
		return f.fields(n, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		return f.items(n, v)
	}
	if err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict()); err != nil {
		return err
	}
	if tag == "path" {
		v.SetString(f.beside(v.String()))
	}
	return nil
}

// fields reads a map into a struct. Its own keys come after those that it takes over.
func (f *File) fields(n ast.Node, v reflect.Value) error {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		return &placed{n.GetToken(), badValue("", "a map of keys to values is expected here")}
	}
	for _, pair := range pairs(n) {
		if _, merge := pair.Key.(*ast.MergeKeyNode); merge {
			if err := f.fields(pair.Value, v); err != nil {
				return err
			}
		}
	}
	known := keysIn(v.Type())
	for _, pair := range pairs(n) {
		name := pair.Key.GetToken().Value
		i := slices.IndexFunc(known, func(k key) bool { return k.name == name })
		if i < 0 {
			continue // a merge: [File.checkKeys] has seen all others
		}
		field := known[i].field
		if err := f.decode(pair.Value, v.FieldByIndex(field.Index), field.Tag.Get("value")); err != nil {
			return err
		}
	}
	return nil
}

// items reads a list of structs.
func (f *File) items(n ast.Node, v reflect.Value) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return &placed{n.GetToken(), badValue("", "a list is expected here")}
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, item := range seq.Values {
		if err := f.decode(item, v.Index(i), ""); err != nil {
			return err
		}
	}
	if v.Type() == reflect.TypeFor[[]Define]() {
		f.defines = seq.Values
	}
	return nil
}

// An Env is written as a map, and is a list of NAME=value in the order of names.
type Env []string

func (e *Env) UnmarshalYAML(n ast.Node) error {
	var env map[string]string
	if err := yaml.NodeToValue(n, &env); err != nil {
		return err
	}
	*e = nil
	for _, name := range slices.Sorted(maps.Keys(env)) {
		*e = append(*e, name+"="+env[name])
	}
	return nil
}

// aliases are the anchors of a file by their names.
type aliases map[string]ast.Node

// resolved is n with what its aliases stand for in their place.
func (a aliases) resolved(n ast.Node) (ast.Node, error) {
	var err error
	switch n := n.(type) {
	case *ast.AnchorNode:
		value, err := a.resolved(n.Value)
		a[n.Name.GetToken().Value] = value
		return value, err
	case *ast.AliasNode:
		name := n.Value.GetToken()
		if a[name.Value] == nil {
			return n, &placed{name, badValue("write &"+name.Value+" before the value that is meant", "no anchor %q", name.Value)}
		}
		return a[name.Value], nil
	case *ast.MappingValueNode:
		n.Value, err = a.resolved(n.Value)
		return n, err
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if _, err := a.resolved(pair); err != nil {
				return n, err
			}
		}
	case *ast.SequenceNode:
		for i := range n.Values {
			if n.Values[i], err = a.resolved(n.Values[i]); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
