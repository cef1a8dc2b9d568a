package record

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// A Fact is one thing that was found in a run: of which kind it is, and its figures.
// It is no sentence. Package reports has one for every kind, and nobody else has: who
// needs to know what was found reads the fact.
//
// What the fields mean for a kind stands where the kind is defined. Those that it does
// not use are zero.
type Fact struct {
	Kind FactKind
	// N of Of were counted, where Need would have been enough: mostly streams.
	N, Of, Need int
	// Took was measured, and may be Bound.
	Took, Bound time.Duration
	Times       []time.Duration // further ones, in the order that the kind gives
	Bytes, More int64           // sizes in bytes
	Share       float64         // from 0 to 1, or an amount that may be no whole number
	Stream      uint64          // the first one that it is about; 0 for none
	Name        string          // of a thing: a replica, a host, a value of ours
	Place       string          // a hop, a place in an event or in a body
	Text        string          // in the words of others: of the app, of a log, of whoever wrote the record
	Counts      []Count
	About       []Fact // facts that this one is made of, in the order that the kind gives
}

// A FactKind says what a [Fact] is about.
type FactKind string

// Kinds that all packages use.
const (
	// FactQuoted is something that others have worded: Text.
	FactQuoted FactKind = "quoted"
)

// A Count is how many there are of what Name names.
type Count struct {
	Name string
	N    int
}

// Quoted is a fact in the words of others.
func Quoted(text string) Fact { return Fact{Kind: FactQuoted, Text: text} }

// Is reports whether f is there and of that kind.
func (f *Fact) Is(k FactKind) bool { return f != nil && f.Kind == k }

// Same reports whether two facts say the same of the same.
func (f *Fact) Same(o *Fact) bool {
	return f == o || f != nil && o != nil && reflect.DeepEqual(*f, *o)
}

// String writes a fact for programmers and tests, not for users: its kind, and the
// fields that are set, "few streams n=3 need=20".
func (f Fact) String() string {
	var b strings.Builder
	b.WriteString(string(f.Kind))
	v := reflect.ValueOf(f)
	for i := 1; i < v.NumField(); i++ {
		if x := v.Field(i); !x.IsZero() {
			name := strings.ToLower(v.Type().Field(i).Name)
			if x.Kind() == reflect.String {
				fmt.Fprintf(&b, " %s=%q", name, x.String())
				continue
			}
			fmt.Fprintf(&b, " %s=%v", name, x.Interface())
		}
	}
	return b.String()
}
