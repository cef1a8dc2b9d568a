package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/streamproof/streamproof/harness/suggest"
)

// checkKeys refuses keys that t does not have, anywhere below n. The library's
// strict mode finds them too, but cannot tell which names stand beside them.
func (f *File) checkKeys(n ast.Node, t reflect.Type) error {
	switch t.Kind() {
	case reflect.Pointer:
		return f.checkKeys(n, t.Elem())
	case reflect.Slice:
		return f.checkItems(n, t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	fields := fieldsOf(t)
	for _, pair := range pairs(n) {
		key := pair.Key.GetToken().Value
		if _, merge := pair.Key.(*ast.MergeKeyNode); merge {
			continue
		}
		field, ok := fields[key]
		if !ok {
			return f.at(pair.Key.GetToken(), fmt.Sprintf("unknown key %q", key), suggestKey(key, t))
		}
		if err := f.checkKeys(pair.Value, field); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) checkItems(n ast.Node, t reflect.Type) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil
	}
	for _, item := range seq.Values {
		if err := f.checkKeys(item, t); err != nil {
			return err
		}
	}
	return nil
}

// pairs are the entries of a mapping; none for any other node.
func pairs(n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	case *ast.AnchorNode:
		return pairs(m.Value)
	}
	return nil
}

// fieldsOf maps the YAML keys of a struct to their types.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, k := range keysIn(t) {
		fields[k.name] = k.field.Type
	}
	return fields
}

func keysOf(t reflect.Type) (names []string) {
	for _, k := range keysIn(t) {
		names = append(names, k.name)
	}
	return names
}

// A key is a field of a struct, which may be one of a struct inside.
type key struct {
	name  string
	owner reflect.Type // that declares the field
	field reflect.StructField
}

// keysIn are the fields of t that have a tag yaml. Those of an inline struct stand in
// its place, except where a field beside it has the name.
func keysIn(t reflect.Type) (keys []key) {
	add := func(k key) {
		i := slices.IndexFunc(keys, func(had key) bool { return had.name == k.name })
		if i < 0 {
			keys = append(keys, k)
		} else if len(k.field.Index) < len(keys[i].field.Index) {
			keys[i] = k
		}
	}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			for _, k := range keysIn(field.Type) {
				k.field.Index = append([]int{i}, k.field.Index...)
				add(k)
			}
		case name != "":
			add(key{name: name, owner: t, field: field})
		}
	}
	return keys
}

// suggestKey knows two mistakes: a misspelt key, and one in the wrong section. A
// key that stands in another section just so is the latter, unless one of this
// section only lacks its end: stream for streams.
func suggestKey(key string, t reflect.Type) string {
	near, home := suggest.Nearest(key, keysOf(t)), homeOf(key, t)
	if home == "" || near != "" && (strings.HasPrefix(near, key) || strings.HasPrefix(key, near)) {
		return Suggest(key, keysOf(t))
	}
	return "it belongs " + home
}

// homeOf says where a key belongs that t does not have; "" where no section has
// it.
func homeOf(key string, t reflect.Type) string {
	root := reflect.TypeFor[Config]()
	if t != root {
		if _, ok := fieldsOf(root)[key]; ok {
			return "on the top level"
		}
	}
	for _, section := range keysIn(root) {
		if section.field.Type.Kind() != reflect.Struct || section.field.Type == t {
			continue
		}
		if _, ok := fieldsOf(section.field.Type)[key]; ok {
			return "below " + section.name + ":"
		}
	}
	return ""
}
