package shrink

import (
	"bytes"
	"fmt"
	"go/format"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
)

// module is the import path of this one.
const module = "github.com/streamproof/streamproof/"

// GoTest is the source of a test of package pkg that runs options. Their opener and what
// belongs to a single run (folder, progress) are left out, and so is their sabotage
// unless the app is our own origin, which alone has one. It fails for as long as the run
// does.
func GoTest(o harness.Options, pkg, comment string) ([]byte, error) {
	o.Opener, o.Warn, o.Progress, o.Retry, o.StartLoadWorker = nil, nil, nil, nil, nil
	o.Dir, o.Tool, o.Repro = "", "", ""
	p := printer{imports: map[string]bool{"testing": true, module + "scenarios": true, module + "harness": true}}
	literal := p.value(reflect.ValueOf(o))
	if p.err != nil {
		return nil, p.err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package %s\n\nimport (\n", pkg)
	all := slices.Sorted(maps.Keys(p.imports))
	for _, ours := range []bool{false, true} {
		for _, name := range all {
			if strings.HasPrefix(name, module) == ours {
				fmt.Fprintf(&b, "\t%q\n", name)
			}
		}
		if !ours {
			b.WriteByte('\n')
		}
	}
	b.WriteString(")\n\n")
	for line := range strings.Lines(comment) {
		b.WriteString("// " + line)
	}
	fmt.Fprintf(&b, "func TestShrunk(t *testing.T) {\n\tscenarios.RunOptions(t, %s)\n}\n", literal)
	return format.Source(b.Bytes())
}

// A printer writes values as Go's literals.
type printer struct {
	imports map[string]bool
	err     error
}

// name is how a type is called where its package is imported.
func (p *printer) name(t reflect.Type) string {
	switch {
	case t.Name() != "" && t.PkgPath() != "":
		p.imports[t.PkgPath()] = true
		return path.Base(t.PkgPath()) + "." + t.Name()
	case t.Name() != "":
		return t.Name()
	case t.Kind() == reflect.Slice:
		return "[]" + p.name(t.Elem())
	case t.Kind() == reflect.Map:
		return "map[" + p.name(t.Key()) + "]" + p.name(t.Elem())
	case t.Kind() == reflect.Pointer:
		return "*" + p.name(t.Elem())
	case t.Kind() == reflect.Interface:
		return "any"
	}
	p.fail(t)
	return ""
}

func (p *printer) fail(t reflect.Type) {
	if p.err == nil {
		p.err = fmt.Errorf("write a Go test: a %s has no literal", t)
	}
}

// value writes one value.
func (p *printer) value(v reflect.Value) string {
	t := v.Type()
	if d, ok := v.Interface().(time.Duration); ok {
		return p.duration(d)
	}
	switch v.Interface().(type) {
	case fault.Toxic, fault.Weather:
		return p.made(v.Interface().(fault.Fault))
	}
	switch t.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Int, reflect.Int64, reflect.Int32:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint8:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Pointer:
		return "&" + p.value(v.Elem())
	case reflect.Interface:
		return p.value(v.Elem())
	case reflect.Slice:
		var items []string
		for i := range v.Len() {
			item := p.value(v.Index(i))
			if t.Elem().Kind() == reflect.Struct { // the list has said it
				item = strings.TrimPrefix(item, p.name(t.Elem()))
			}
			items = append(items, item)
		}
		return p.name(t) + "{" + strings.Join(items, ", ") + "}"
	case reflect.Map:
		return p.mapping(v)
	case reflect.Struct:
		return p.fields(v)
	}
	p.fail(t)
	return ""
}

func (p *printer) mapping(v reflect.Value) string {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	var items []string
	for _, k := range keys {
		items = append(items, p.value(k)+": "+p.value(v.MapIndex(k)))
	}
	return p.name(v.Type()) + "{" + strings.Join(items, ", ") + "}"
}

// fields writes those of a struct that are not zero, each on a line of its own where the
// struct holds others.
func (p *printer) fields(v reflect.Value) string {
	t := v.Type()
	var items []string
	deep := false
	for i := range t.NumField() {
		f := t.Field(i)
		if x := v.Field(i); x.IsZero() || (x.Kind() == reflect.Map || x.Kind() == reflect.Slice) && x.Len() == 0 {
			continue
		}
		if !f.IsExported() {
			p.fail(t)
			return ""
		}
		k := f.Type.Kind()
		deep = deep || k == reflect.Struct || k == reflect.Interface ||
			k == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct
		items = append(items, f.Name+": "+p.value(v.Field(i)))
	}
	if deep {
		return p.name(t) + "{\n" + strings.Join(items, ",\n") + ",\n}"
	}
	return p.name(t) + "{" + strings.Join(items, ", ") + "}"
}

// duration reads "1500 * time.Millisecond".
func (p *printer) duration(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{
		{time.Minute, "Minute"}, {time.Second, "Second"},
		{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"},
	} {
		if d%u.unit == 0 && d != 0 {
			p.imports["time"] = true
			return fmt.Sprintf("%d * time.%s", d/u.unit, u.name)
		}
	}
	return strconv.FormatInt(int64(d), 10)
}

// made writes a fault by the function that makes it.
func (p *printer) made(f fault.Fault) string {
	m, ok := fault.Made(f)
	if !ok {
		p.fail(reflect.TypeOf(f))
		return ""
	}
	p.imports[module+"harness/fault"] = true
	call := func(name, more string) string { return fmt.Sprintf("fault.%s(%q, %s)", name, m.Link, more) }
	switch delay := p.duration(m.Delay); m.By {
	case fault.MadeLatency:
		return call("Latency", delay+", "+p.duration(m.Jitter))
	case fault.MadeJitter:
		return call("Jitter", delay)
	case fault.MadeBandwidth:
		return call("Bandwidth", strconv.Itoa(m.Rate)+", "+p.duration(m.Gap))
	case fault.MadeStall:
		return call("Stall", p.duration(m.Hold))
	case fault.MadeSlowStart:
		return call("SlowStart", delay)
	case fault.MadeSlowClose:
		return call("SlowClose", delay)
	}
	return call("Slices", strconv.Itoa(m.Size))
}
