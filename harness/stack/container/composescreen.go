package container

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/streamproof/streamproof/harness/record"
)

// A Refused is a key of a compose file that streamproof does not carry over, and without
// which the app would not be the one that its users have.
type Refused struct {
	Key string // "services.web.network_mode"
	Why string
	Fix string
}

func (e *Refused) Error() string { return e.Key + ": " + e.Why }

// A screening goes through all that a compose file says of the services that will run.
type screening struct {
	file     *composition
	app      bool   // it is at the app, and not at what that depends on
	entry    string // the name of the service, network, volume, config or secret
	part     any    // the struct of the reader's in which the key stands
	warnings []record.Fact
}

// screen refuses what is not carried over, in the service and in what it depends on, and
// warns of what is left out.
func (f *composition) screen() error {
	s := &screening{file: f}
	networks, volumes := map[string]bool{}, map[string]bool{}
	configs, secrets := map[string]bool{}, map[string]bool{}
	for _, name := range append(slices.Clone(f.order), f.service) {
		service := f.Project.Services[name]
		s.app = name == f.service
		if err := s.look(name, "services."+name, service); err != nil {
			return err
		}
		for network := range service.Networks {
			networks[network] = true
		}
		for _, v := range service.Volumes {
			if v.Type == types.VolumeTypeVolume && v.Source != "" {
				volumes[v.Source] = true
			}
		}
		for _, c := range service.Configs {
			configs[c.Source] = true
		}
		for _, c := range service.Secrets {
			secrets[c.Source] = true
		}
	}
	if len(networks) > 1 { // which keep services apart that are together here
		s.warnings = append(s.warnings, record.Fact{Kind: record.FactComposeNetwork, Place: "networks"})
	}
	return s.shared(f.Project, networks, volumes, configs, secrets)
}

// shared goes through what services have in common.
func (s *screening) shared(p *types.Project, networks, volumes, configs, secrets map[string]bool) error {
	for _, of := range []struct {
		place string
		names map[string]bool
		get   func(string) any
	}{
		{"networks.", networks, func(name string) any { return p.Networks[name] }},
		{"volumes.", volumes, func(name string) any { return p.Volumes[name] }},
		{"configs.", configs, func(name string) any { return p.Configs[name] }},
		{"secrets.", secrets, func(name string) any { return p.Secrets[name] }},
	} {
		for _, name := range slices.Sorted(maps.Keys(of.names)) {
			if err := s.look(name, of.place+name, of.get(name)); err != nil {
				return err
			}
		}
	}
	s.file.warnings = append(s.file.warnings, s.warnings...)
	return nil
}

func (s *screening) look(entry, at string, part any) error {
	s.entry = entry
	return s.inside(at, reflect.ValueOf(part))
}

// inside looks for keys in a value: those of a struct, of a list's parts, of a map's.
func (s *screening) inside(at string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return s.inside(at, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := s.inside(fmt.Sprintf("%s[%d]", at, i), v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			if err := s.inside(at+"."+key.String(), v.MapIndex(key)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return s.keys(at, v)
	}
	return nil
}

// keys finds the treatment of each key of a struct that is set. What a file leaves out is zero
// in the reader's types.
func (s *screening) keys(at string, v reflect.Value) error {
	for _, f := range keysIn(v.Type()) {
		value := v.FieldByIndex(f.index)
		if value.IsZero() || (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0 {
			continue
		}
		treat := keysOf[v.Type()][f.key]
		if treat == nil {
			treat = refused // Compose did not have it yet when this was written
		}
		s.part = v.Interface()
		place := at + "." + f.key
		switch treatment := treat(s, place, value); {
		case treatment.why != "":
			return &Refused{Key: place, Why: treatment.why, Fix: treatment.fix}
		case treatment.warn != "":
			s.warnings = append(s.warnings, record.Fact{Kind: treatment.warn, Place: place})
		case treatment.inside:
			if err := s.inside(place, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// A keyField is a field of the reader's with its name in a file.
type keyField struct {
	key   string
	index []int
	typ   reflect.Type
}

// keysIn are the keys that a struct of the reader's has in a file, with those of structs
// that it embeds. Extensions ("x-…") are nobody's but the user's.
func keysIn(t reflect.Type) (fields []keyField) {
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported(), key == "-", f.Type == reflect.TypeFor[types.Extensions]():
		case f.Anonymous:
			for _, in := range keysIn(f.Type) {
				fields = append(fields, keyField{in.key, append([]int{i}, in.index...), in.typ})
			}
		default:
			if key == "" {
				key = strings.ToLower(f.Name)
			}
			fields = append(fields, keyField{key, []int{i}, f.Type})
		}
	}
	return fields
}

// isFile reports whether what a service refers to is a file of this machine.
func (f *composition) isFile(reference any) bool {
	switch r := reference.(type) {
	case types.ServiceSecretConfig:
		return f.Project.Secrets[r.Source].File != ""
	case types.ServiceConfigObjConfig:
		return f.Project.Configs[r.Source].File != ""
	}
	return false
}
